import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { PageFailure } from '../page-errors.ts';
import { type Extracted, type ExtractInput, extract } from './extract.ts';

/**
 * Extraction away from the event loop, which has leases to renew and cancels to hear: a large page takes half a second, a
 * hostile one as long as it likes. Threads start when first needed and are kept; one whose page is given up is ended with it.
 */
export interface Extractor {
  /** @throws PageFailure `extraction_failed`; or the signal's reason */
  extract(input: ExtractInput, signal: AbortSignal): Promise<Extracted>;
  stop(): Promise<void>;
}

/**
 * @param threads how many pages are worked on at once; others wait. Started as they are needed, 60 MB each. As many as cores: for
 *   pages without a browser extraction is nearly all there is to do, and with one the machine shares its cores well enough.
 */
export function createExtractor(threads = Math.min(8, availableParallelism())): Extractor {
  // Run from its sources there is no built thread to start; only tests do that.
  return import.meta.url.endsWith('.ts') ? inlineExtractor : new ThreadExtractor(threads);
}

type Answer = { extracted: Extracted } | { failure: string };

class ThreadExtractor implements Extractor {
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: ((worker: Worker) => void)[] = [];

  constructor(private readonly threads: number) {}

  async extract(input: ExtractInput, signal: AbortSignal): Promise<Extracted> {
    const worker = await this.#take();
    try {
      const answer = await ask(worker, input, signal);
      if ('extracted' in answer) return answer.extracted;
      throw new PageFailure('extraction_failed', undefined, { cause: new Error(answer.failure) });
    } finally {
      this.#giveBack(worker);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  async #take(): Promise<Worker> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#all.size < this.threads) return this.#start();
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveBack(worker: Worker): void {
    // An ended one is replaced when somebody waits for it.
    const ended = !this.#all.has(worker);
    const next = this.#waiting.shift();
    if (next) next(ended ? this.#start() : worker);
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

/** One question to an idle thread. A thread that is not waited for to the end has ended when this settles. */
async function ask(worker: Worker, input: ExtractInput, signal: AbortSignal): Promise<Answer> {
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
      worker.postMessage(input);
    });
  } finally {
    listening.abort();
    stopListening();
  }
}

const inlineExtractor: Extractor = {
  async extract(input, signal) {
    signal.throwIfAborted();
    try {
      return extract(input);
    } catch (cause) {
      throw new PageFailure('extraction_failed', undefined, { cause });
    }
  },
  async stop() {},
};
