import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Writes lines to a stream whose reader may be slow, stopped or gone. It never waits, throws or emits an error, and holds a bounded
 * queue: what does not fit, and what the stream refuses, is dropped and counted. When lines get through again, one of them says how
 * many are missing.
 *
 * A reader that went away is not final: a full disk gets room, a named pipe gets another reader. So the stream is tried again.
 */
export class LineSink {
  readonly #queue: string[] = [];
  #queued = 0;
  /** The stream holds as much as it should: write no more until it drains. */
  #isFull = false;
  #unconfirmed = 0;
  #retryAt = 0;
  #failure: NodeJS.ErrnoException | undefined;
  #dropped = 0;
  /** Of the dropped lines, those a written notice has told of. */
  #reported = 0;
  #isReporting = false;

  constructor(
    private readonly stream: Writable,
    private readonly options: LineSinkOptions,
  ) {
    // Each write's own callback hears of its failure; an event without a listener would end the process.
    stream.on('error', () => {});
    stream.on('drain', () => this.#drain());
  }

  /** Lines dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Why the stream takes nothing at the moment; undefined while it takes lines, however slowly. */
  get failure(): NodeJS.ErrnoException | undefined {
    return this.#failure;
  }

  /** @param line without its line break */
  write(line: string): void {
    if (this.#failure && performance.now() < this.#retryAt) this.#dropped += 1;
    else if (!this.#isFull) this.#send(line);
    else if (this.#queued + line.length > (this.options.queueLimit ?? QUEUE_LIMIT)) this.#dropped += 1;
    else {
      this.#queue.push(line);
      this.#queued += line.length;
    }
  }

  /** Resolves when all lines are with the reader or refused, or after `withinMs`: for a process that is about to exit. */
  async flush(withinMs: number): Promise<void> {
    for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(5)) {
      if (this.#unconfirmed === 0 && this.#queue.length === 0) return;
    }
  }

  #send(line: string): void {
    // What was written before a failure may have ended in the middle of a line.
    const text = this.#failure ? `\n${line}\n` : `${line}\n`;
    this.#put(text, (error) => {
      if (error) this.#onFailed(error, 1);
      else this.#onWritten();
    });
  }

  #put(text: string, callback: (error?: Error | null) => void): void {
    this.#unconfirmed += 1;
    const takesMore = this.stream.write(text, (error) => {
      this.#unconfirmed -= 1;
      callback(error);
    });
    if (!takesMore) this.#isFull = true;
  }

  #onWritten(): void {
    this.#failure = undefined;
    if (this.#dropped > this.#reported && !this.#isFull) this.#report();
  }

  #onFailed(error: NodeJS.ErrnoException, lines: number): void {
    this.#dropped += lines + this.#queue.length;
    this.#queue.length = 0;
    this.#queued = 0;
    this.#isFull = false;
    this.#retryAt = performance.now() + (this.options.retryMs ?? RETRY_MS);
    const isNew = this.#failure === undefined;
    this.#failure = error;
    if (isNew) this.options.onFailed?.(error);
  }

  #drain(): void {
    this.#isFull = false;
    while (!this.#isFull) {
      const line = this.#queue.shift();
      if (line === undefined) return;
      this.#queued -= line.length;
      this.#send(line);
    }
  }

  /** After the lines that were queued, so that the notice stands where the others are missing. */
  #report(): void {
    if (this.#isReporting) return;
    this.#isReporting = true;
    const dropped = this.#dropped;
    this.#put(`${this.options.notice(dropped - this.#reported)}\n`, (error) => {
      this.#isReporting = false;
      if (error) this.#onFailed(error, 0);
      else this.#reported = dropped;
    });
  }
}

export interface LineSinkOptions {
  /** The line that tells how many were dropped since the last such line. */
  notice(dropped: number): string;
  /** Called when the stream begins to refuse lines, once until it takes one again. */
  onFailed?(error: NodeJS.ErrnoException): void;
  /** Characters held for a slow reader, beside what the stream itself holds; default 1 Mi. */
  queueLimit?: number;
  /** Until a stream that refused a line is tried again; default 1 s. */
  retryMs?: number;
}

const QUEUE_LIMIT = 1024 * 1024;
const RETRY_MS = 1000;
