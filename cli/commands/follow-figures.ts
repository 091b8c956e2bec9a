import { isFinal, type Job, type LeadEngine } from '../../sdk/src/index.ts';
import type { Figures } from '../progress.ts';

const EVERY_MS = 1000;

/** Asks for a job's progress each second until it has ended, or until what it returns is called. */
export function followFigures(
  engine: LeadEngine,
  jobId: string,
  signal: AbortSignal,
  show: (figures: Figures, detail: string, job: Job) => void,
): () => void {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async () => {
    try {
      const job = await engine.job(jobId, { signal });
      if (stopped) return;
      show(job.progress, detailOf(job), job);
      if (isFinal(job)) return;
    } catch {
      // The results have the same trouble, and report it.
    }
    if (!stopped && !signal.aborted) timer = setTimeout(ask, EVERY_MS);
  };
  void ask();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Why nothing happens, if so. */
function detailOf({ status, error, counts }: Job): string {
  if (status === 'queued') return 'waits for a worker';
  if (status === 'retrying') return error?.code ?? 'waits';
  return counts.errors > 0 ? `${counts.errors} failed` : '';
}
