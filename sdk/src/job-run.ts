import { JobError } from './errors.ts';
import { follow, type Part, paginate } from './paginate.ts';
import type { AcceptedJob, Job } from './types.ts';

/** What a run needs of the client, for one kind of results. */
export interface RunSource<T> {
  accepted: Promise<AcceptedJob>;
  /** The job now, or after it ended if that is within `waitSeconds`. */
  job(id: string, waitSeconds: number): Promise<Job>;
  cancel(id: string): Promise<Job>;
  /** Results as they are stored. */
  follow(id: string, cursor: string | undefined): Promise<Part<T>>;
  /** Results in their final order. */
  list(id: string, cursor: string | undefined): Promise<Part<T>>;
  /** The same for every version of one result. */
  keyOf(result: T): string;
  /** A later attempt may replace it. */
  isProvisional(result: T): boolean;
  countOf(job: Job): number;
  signal: AbortSignal | undefined;
  keepRunning: boolean;
}

const LONGEST_WAIT_SECONDS = 3;

/**
 * A job whose results are read while it runs. Iterating gives each result once, in the order in
 * which they were found; pages that failed come last, since a later attempt may still load them.
 *
 * The iteration throws a JobError after the last result if the job failed. Leaving it (`break`, an
 * error, the signal) cancels the job, unless it was started with `keepRunning`.
 */
export class JobRun<T> implements AsyncIterable<T> {
  readonly #source: RunSource<T>;
  #cancelled = false;

  constructor(source: RunSource<T>) {
    this.#source = source;
    // Reported where it is awaited.
    source.accepted.catch(() => {});
  }

  /** The job's id, once it is accepted. */
  get id(): Promise<string> {
    return this.#source.accepted.then(({ job_id }) => job_id);
  }

  /** The job when it has ended, however it ended. */
  get job(): Promise<Job> {
    return this.id.then((id) => this.#ended(id));
  }

  /** Cancels it: what was found so far is kept, and the iteration ends after it. */
  async cancel(): Promise<Job> {
    this.#cancelled = true;
    return this.#source.cancel(await this.id);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const id = await this.id;
    let isOver = false;
    try {
      yield* this.#results(id);
      isOver = true;
    } finally {
      if (!isOver && !this.#source.keepRunning) await this.#source.cancel(id).catch(() => {});
    }
    const job = await this.#source.job(id, 0);
    if (job.status === 'failed' || (job.status === 'cancelled' && !this.#cancelled)) throw new JobError(job);
  }

  async *#results(id: string): AsyncGenerator<T, void, undefined> {
    const { keyOf, isProvisional, countOf } = this.#source;
    const seen = new Set<string>();
    const provisional = new Map<string, T>();
    const running = follow(
      (cursor) => this.#source.follow(id, cursor),
      // Answers at once when the job has ended.
      async (rounds) => void (await this.#source.job(id, Math.min(rounds, LONGEST_WAIT_SECONDS))),
    );
    for await (const result of running) {
      const key = keyOf(result);
      if (seen.has(key)) continue;
      if (isProvisional(result)) {
        provisional.set(key, result);
        continue;
      }
      provisional.delete(key);
      seen.add(key);
      yield result;
    }
    for (const [key, result] of provisional) {
      seen.add(key);
      yield result;
    }
    // The server's order leaves none out unless a write took longer than it allows for.
    if (countOf(await this.#source.job(id, 0)) <= seen.size) return;
    for await (const result of paginate((cursor) => this.#source.list(id, cursor))) {
      if (!seen.has(keyOf(result))) yield result;
    }
  }

  async #ended(id: string): Promise<Job> {
    for (;;) {
      this.#source.signal?.throwIfAborted();
      const job = await this.#source.job(id, 30);
      if (isFinal(job)) return job;
    }
  }
}

/** It has ended; only a retry runs it again. */
export const isFinal = ({ status }: Pick<Job, 'status'>): boolean =>
  status === 'completed' || status === 'failed' || status === 'cancelled';
