import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log/logger.ts';

/** A long-lived component. `stop` may be called more than once. */
export interface Part {
  name: string;
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
  /** Names of what still runs while it stops; default its own name. */
  waitsFor?(): string[];
}

/** This long before the end of the stop time, parts no longer wait for each other. */
const LATE_MS = 750;

/**
 * Starts parts in the given order and stops them in reverse, so that a part's dependencies outlive
 * it. A part that does not stop, for example because the database is unavailable, does not block
 * the exit: shortly before `stopMs` the others are stopped all at once, and after it none is waited
 * for.
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

  /** For a part that cannot recover: stops the process in order, with exit code 1. */
  fail(error: Error): void {
    this.onFailure(error);
  }

  /** Starts a part. After `stop` was called it starts nothing and never resolves. */
  async start(part: Part): Promise<void> {
    if (this.#stopped) return new Promise(() => {});
    // Added before it starts: a part whose start failed is stopped too.
    this.#started.push(part);
    await part.start?.();
  }

  /** Names of what a stop is waiting for now. */
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
      // One part's failure must not keep the others from stopping.
      this.logger.error('stop_failed', { part: part.name, error });
    } finally {
      this.#stopping.delete(part);
    }
  }
}
