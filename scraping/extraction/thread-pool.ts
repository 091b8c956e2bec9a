import { Worker } from 'node:worker_threads';
import { type PageErrorCode, PageFailure } from '../../core/jobs/page-errors.ts';

/** What a thread answers, one message at a time. */
export type ThreadAnswer = { result: unknown } | { failure: string; code?: PageErrorCode };

interface Waiting {
  take(worker: Worker): void;
}

/**
 * Threads for work on untrusted input that has no bound: they start on demand and are reused;
 * aborting a piece of work terminates its thread.
 *
 * A new thread is expensive: it loads its modules and compiles hot functions over some hundred
 * pages. Beside a browser, where two pages rarely coincide, one warm thread took 25 ms of CPU time
 * per page over its first 200 pages, two took 33 ms. So another thread starts only if two pages
 * wait, or one waits long.
 */
export class ThreadPool {
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: Waiting[] = [];

  /**
   * @param entry URL of the compiled file that the threads run
   * @param threads pieces of work done at the same time; others wait
   */
  constructor(
    private readonly entry: URL,
    private readonly threads: number,
  ) {}

  /** @throws PageFailure the answer's code, or `extraction_failed`; or the signal's reason */
  async run(question: unknown, signal: AbortSignal): Promise<unknown> {
    const worker = await this.#acquire();
    try {
      const answer = await ask(worker, question, signal);
      if ('result' in answer) return answer.result;
      if (answer.code) throw new PageFailure(answer.code, answer.failure);
      throw new PageFailure('extraction_failed', undefined, { cause: new Error(answer.failure) });
    } finally {
      this.#release(worker);
    }
  }

  /** Runs this so many times in the background, until other work waits. */
  warmUp(question: unknown, times: number): void {
    void this.#warmUp(question, times).catch(() => {
      // Stopped meanwhile. A thread that cannot start fails the next page instead.
    });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  async #warmUp(question: unknown, times: number): Promise<void> {
    const worker = await this.#acquire();
    const { signal } = new AbortController();
    try {
      for (let done = 0; done < times && this.#waiting.length === 0; done += 1) {
        await ask(worker, question, signal);
      }
    } finally {
      this.#release(worker);
    }
  }

  async #acquire(): Promise<Worker> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#all.size === 0) return this.#start();
    return await new Promise((resolve) => {
      const timer = setTimeout(() => this.#startFor(waiting), LONG_WAIT_MS);
      const waiting: Waiting = {
        take: (worker) => {
          clearTimeout(timer);
          resolve(worker);
        },
      };
      this.#waiting.push(waiting);
      const [first, second] = this.#waiting;
      if (first && second) this.#startFor(first);
    });
  }

  /** Starts a thread for a waiting page, if the limit allows. */
  #startFor(waiting: Waiting): void {
    const place = this.#waiting.indexOf(waiting);
    if (place < 0 || this.#all.size >= this.threads) return;
    this.#waiting.splice(place, 1);
    waiting.take(this.#start());
  }

  #release(worker: Worker): void {
    // A terminated thread is replaced only if a page waits.
    const ended = !this.#all.has(worker);
    const next = this.#waiting.shift();
    if (next) next.take(ended ? this.#start() : worker);
    else if (!ended) this.#idle.push(worker);
  }

  #start(): Worker {
    const worker = new Worker(this.entry, {
      resourceLimits: { maxOldGenerationSizeMb: 1024, stackSizeMb: 8 },
    });
    this.#all.add(worker);
    worker.unref();
    worker.on('error', () => this.#forget(worker));
    worker.on('exit', () => this.#forget(worker));
    return worker;
  }

  #forget(worker: Worker): void {
    this.#all.delete(worker);
    const place = this.#idle.indexOf(worker);
    if (place >= 0) this.#idle.splice(place, 1);
  }
}

/**
 * A large page takes half a second, most take 10 ms; starting a thread beside a busy browser takes
 * time too.
 */
const LONG_WAIT_MS = 1000;

/**
 * Sends one question to an idle thread. If aborted, the thread has terminated when the promise
 * settles.
 */
async function ask(worker: Worker, question: unknown, signal: AbortSignal): Promise<ThreadAnswer> {
  signal.throwIfAborted();
  const listening = new AbortController();
  let stopListening = () => {};
  try {
    return await new Promise<ThreadAnswer>((resolve, reject) => {
      const failed = (cause: unknown) =>
        reject(signal.aborted ? signal.reason : new PageFailure('extraction_failed', undefined, { cause }));
      worker.once('message', resolve);
      worker.on('error', failed);
      worker.on('exit', failed);
      stopListening = () => {
        worker.off('message', resolve);
        worker.off('error', failed);
        worker.off('exit', failed);
      };
      signal.addEventListener('abort', () => void worker.terminate(), {
        signal: listening.signal,
      });
      worker.postMessage(question);
    });
  } finally {
    listening.abort();
    stopListening();
  }
}
