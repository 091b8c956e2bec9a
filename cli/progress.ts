import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './output.ts';

/** What is known of a job's progress. `total` may grow. */
export interface Figures {
  done: number;
  total: number;
}

export interface Progress {
  update(figures: Figures, detail?: string): void;
  /** Removes the bar, so that what follows begins a line. */
  stop(): void;
}

/** Between two lines in a pipe or a log. */
const LINE_MS = 5000;

/** A bar on a terminal, now and then a line elsewhere, nothing with --quiet or --json. */
export function startProgress(output: Output, unit: string, now: () => number = Date.now): Progress {
  if (output.options.quiet || (output.json && !output.isTerminal))
    return { update: () => {}, stop: () => {} };
  const begun = now();
  return output.isTerminal ? bar(output, unit, begun, now) : lines(output, unit, begun, now);
}

function bar(output: Output, unit: string, begun: number, now: () => number): Progress {
  const single = new SingleBar(
    {
      format: `{bar} {value}/{total} ${unit}  {pace}  {detail}`,
      ...{ stream: output.stderr as NodeJS.WriteStream, hideCursor: true, clearOnComplete: true },
      ...{ barsize: 24, linewrap: false, gracefulExit: false },
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update: (figures, detail = '') => {
      const pace = paceOf(figures, now() - begun);
      if (!started) single.start(Math.max(figures.total, 1), figures.done, { pace, detail });
      started = true;
      single.setTotal(Math.max(figures.total, 1));
      single.update(figures.done, { pace, detail });
    },
    stop: () => {
      if (started) single.stop();
      started = false;
    },
  };
}

function lines(output: Output, unit: string, begun: number, now: () => number): Progress {
  let last = begun;
  return {
    update: (figures) => {
      if (now() - last < LINE_MS) return;
      last = now();
      const pace = paceOf(figures, last - begun);
      output.say(`${figures.done} of ${figures.total} ${unit}${pace && `, ${pace}`}`);
    },
    stop: () => {},
  };
}

/** `12.5/s, 40 s left`; empty before anything is done. */
export function paceOf({ done, total }: Figures, elapsedMs: number): string {
  if (done === 0 || elapsedMs <= 0) return '';
  const perSecond = done / (elapsedMs / 1000);
  const rate = perSecond >= 1 ? `${perSecond.toFixed(1)}/s` : `${(perSecond * 60).toFixed(1)}/min`;
  const left = Math.max(0, total - done) / perSecond;
  return left === 0 ? rate : `${rate}, ${duration(left)} left`;
}

/** `40 s`, `3 min`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 100) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
