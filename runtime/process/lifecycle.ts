import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log/logger.ts';

/** Something long-lived. `stop` may be called more than once. */
export interface Part {
  name: string;
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
  /** Names what is still running while it stops; default its own name. */
  waitsFor?(): string[];
}

/** Near the end of the time for a stop, parts no longer wait for each other. */
const LATE_MS = 750;

/**
 * Starts parts in the order given and stops those that started in the opposite order, so that whatever a part needs is
 * there for as long as it runs. A part that does not stop, because its database is away for example, does not hold up the end of the
 * process: shortly before `stopMs` have passed the rest is stopped all at once, and then nothing is waited for any more.
 */
export class Lifecycle {
  readonly #started: Part[] = [];
  readonly #stopping = new Set<Part>();
  #stopped: Promise<void> | undefined;

  constructor(
    private readonly logger: Logger,
    private readonly stopMs: number,
    private readonly onFailure: (error: Error) => void = () => {},
  ) {}

  /** For a part that learned that it will never work again: ends the process in order, with exit code 1. */
  fail(error: Error): void {
    this.onFailure(error);
  }

  /** Once a stop was asked for nothing is started any more: then this never resolves. */
  async start(part: Part): Promise<void> {
    if (this.#stopped) return new Promise(() => {});
    // Pushed before it has started: a part that failed half way is stopped too.
    this.#started.push(part);
    await part.start?.();
  }

  /** What a stop is waiting for at this moment. */
  waitingFor(): string[] {
    return [...this.#stopping].flatMap((part) => part.waitsFor?.() ?? [part.name]);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    const done = new AbortController();
    const after = (ms: number) => sleep(ms, undefined, { signal: done.signal }).catch(() => {});
    const isLate = after(Math.max(0, this.stopMs - LATE_MS));
    const isOver = after(this.stopMs);
    const stops: Promise<void>[] = [];
    for (const part of this.#started.toReversed()) {
      const stop = this.#stopPart(part);
      stops.push(stop);
      await Promise.race([stop, isLate]);
    }
    await Promise.race([Promise.all(stops), isOver]);
    done.abort();
    if (this.#stopping.size > 0) {
      this.logger.error('stop_timed_out', { waiting_for: this.waitingFor(), after_ms: this.stopMs });
    }
  }

  async #stopPart(part: Part): Promise<void> {
    this.#stopping.add(part);
    try {
      await part.stop?.();
    } catch (error) {
      // One part's failure must not keep the others open.
      this.logger.error('stop_failed', { part: part.name, error });
    } finally {
      this.#stopping.delete(part);
    }
  }
}
