import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type PageErrorCode, PageFailure } from '../../core/jobs/page-errors.ts';
import { type Extracted, type ExtractInput, needsDocument } from './extract.ts';
import type { ExtractFileInput } from './files/extract-file.ts';
import { answer, type InputOf, type Question, type ReadingKind, type ResultOf } from './readings.ts';
import { WARM_UP_PAGE, WARM_UP_READINGS } from './warm-up.ts';

/**
 * Extraction in threads, so that the event loop can renew leases and receive cancels: a large page
 * takes half a second, a hostile one has no bound. Threads start on demand and are reused; aborting
 * a page terminates its thread.
 */
export interface Extractor {
  /** @throws PageFailure `extraction_failed`; or the signal's reason */
  extract(input: ExtractInput | ExtractFileInput, signal: AbortSignal): Promise<Extracted>;
  /** Same as `extract`, for any kind of reading. */
  read<Kind extends ReadingKind>(
    kind: Kind,
    input: InputOf<Kind>,
    signal: AbortSignal,
  ): Promise<ResultOf<Kind>>;
  /** Starts a thread and warms it up in the background; pages are accepted meanwhile. */
  warmUp(): void;
  stop(): Promise<void>;
}

/**
 * @param threads pages extracted at the same time; others wait. 60 MB each, started on demand. One
 *   per core, because for pages without a browser nearly all work is extraction.
 */
export function createExtractor(threads = Math.min(8, availableParallelism())): Extractor {
  // Tests run from the sources, where no built thread file exists.
  return import.meta.url.endsWith('.ts') ? inlineExtractor : new ThreadExtractor(threads);
}

type Answer = { result: unknown } | { failure: string; code?: PageErrorCode };

interface Waiting {
  take(worker: Worker): void;
}

/**
 * A new thread is expensive: it loads its modules and compiles hot functions over some hundred
 * pages. Beside a browser, where two pages rarely coincide, one warm thread took 25 ms of CPU time
 * per page over its first 200 pages, two took 33 ms. So another thread starts only if two pages
 * wait, or one waits long.
 */
class ThreadExtractor implements Extractor {
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: Waiting[] = [];

  constructor(private readonly threads: number) {}

  async extract(input: ExtractInput | ExtractFileInput, signal: AbortSignal): Promise<Extracted> {
    if ('file' in input) return this.read('file', input, signal);
    // The transfer to a thread costs more than the work.
    const isSmall = !needsDocument(input) && input.html.length <= SMALL_CHARS;
    return isSmall ? inlineExtractor.extract(input, signal) : this.read('page', input, signal);
  }

  async read<Kind extends ReadingKind>(
    kind: Kind,
    input: InputOf<Kind>,
    signal: AbortSignal,
  ): Promise<ResultOf<Kind>> {
    const worker = await this.#acquire();
    try {
      const answer = await ask(worker, { kind, input } as Question, signal);
      if ('result' in answer) return answer.result as ResultOf<Kind>;
      if (answer.code) throw new PageFailure(answer.code, answer.failure);
      throw new PageFailure('extraction_failed', undefined, { cause: new Error(answer.failure) });
    } finally {
      this.#release(worker);
    }
  }

  warmUp(): void {
    void this.#warmUp().catch(() => {
      // Stopped meanwhile. A thread that cannot start fails the next page instead.
    });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  async #warmUp(): Promise<void> {
    const worker = await this.#acquire();
    const { signal } = new AbortController();
    try {
      for (let readings = 0; readings < WARM_UP_READINGS && this.#waiting.length === 0; readings += 1) {
        await ask(worker, { kind: 'page', input: WARM_UP_PAGE }, signal);
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
    const worker = new Worker(new URL('./extract-thread.js', import.meta.url), {
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

/** Up to this size the work takes a few milliseconds. */
const SMALL_CHARS = 500_000;
/**
 * A large page takes half a second, most take 10 ms; starting a thread beside a busy browser takes
 * time too.
 */
const LONG_WAIT_MS = 1000;

/**
 * Sends one question to an idle thread. If aborted, the thread has terminated when the promise
 * settles.
 */
async function ask(worker: Worker, question: Question, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const listening = new AbortController();
  let stopListening = () => {};
  try {
    return await new Promise<Answer>((resolve, reject) => {
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

const inlineExtractor: Extractor = {
  extract: (input, signal) =>
    'file' in input
      ? inlineExtractor.read('file', input, signal)
      : inlineExtractor.read('page', input, signal),
  async read<Kind extends ReadingKind>(kind: Kind, input: InputOf<Kind>, signal: AbortSignal) {
    signal.throwIfAborted();
    try {
      return (await answer({ kind, input } as Question)) as ResultOf<Kind>;
    } catch (cause) {
      if (cause instanceof PageFailure) throw cause;
      throw new PageFailure('extraction_failed', undefined, { cause });
    }
  },
  warmUp() {},
  async stop() {},
};
