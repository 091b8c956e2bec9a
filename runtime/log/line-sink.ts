import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Writes lines to a stream whose reader may be slow, stopped or gone. It never waits, throws or
 * emits an error, and its queue is bounded: lines that do not fit, or that the stream refuses, are
 * dropped and counted. When lines can be written again, a notice has the number dropped.
 *
 * A failure may be temporary: a full disk gets room, a named pipe gets another reader. So it is
 * retried.
 */
export class LineSink {
  readonly #queue: string[] = [];
  #queued = 0;
  /** The stream's buffer is full: write no more until it drains. */
  #isFull = false;
  #unconfirmed = 0;
  #retryAt = 0;
  #failure: NodeJS.ErrnoException | undefined;
  #dropped = 0;
  /** Of the dropped lines, those that a written notice has reported. */
  #reported = 0;
  #isReporting = false;

  constructor(
    private readonly stream: Writable,
    private readonly options: LineSinkOptions,
  ) {
    // Each write's callback handles its failure; an `error` event without a listener would end the
    // process.
    stream.on('error', () => {});
    stream.on('drain', () => this.#drain());
  }

  /** Lines dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Why the stream refuses lines now; undefined while it takes them, however slowly. */
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

  /**
   * Resolves when all lines are written or refused, or after `withinMs`: for a process about to
   * exit.
   */
  async flush(withinMs: number): Promise<void> {
    for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(5)) {
      if (this.#unconfirmed === 0 && this.#queue.length === 0) return;
    }
  }

  #send(line: string): void {
    // The write before a failure may have ended within a line.
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

  /** Written after the queued lines, so that the notice is where the dropped ones are missing. */
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
  /** The line that reports the number dropped since the last such line. */
  notice(dropped: number): string;
  /** Called when the stream begins to refuse lines, once until it takes one again. */
  onFailed?(error: NodeJS.ErrnoException): void;
  /** Characters queued for a slow reader, besides the stream's own buffer; default 1 Mi. */
  queueLimit?: number;
  /** Until a failed stream is retried; default 1 s. */
  retryMs?: number;
}

const QUEUE_LIMIT = 1024 * 1024;
const RETRY_MS = 1000;
