import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import { type Extracted, type ExtractInput, needsDocument } from './extract.ts';
import { answer, type InputOf, type Question, type ReadingKind, type ResultOf } from './readings.ts';
import { WARM_UP_PAGE, WARM_UP_READINGS } from './warm-up.ts';

/**
 * Extraction away from the event loop, which has leases to renew and cancels to hear: a large page takes half a second, a
 * hostile one as long as it likes. Threads start when first needed and are kept; one whose page is given up is ended with it.
 */
export interface Extractor {
  /** @throws PageFailure `extraction_failed`; or the signal's reason */
  extract(input: ExtractInput, signal: AbortSignal): Promise<Extracted>;
  /** As `extract`, for any reading of a page. */
  read<Kind extends ReadingKind>(
    kind: Kind,
    input: InputOf<Kind>,
    signal: AbortSignal,
  ): Promise<ResultOf<Kind>>;
  /** Has a thread ready for the first page, warm; meanwhile pages are taken as ever. */
  warmUp(): void;
  stop(): Promise<void>;
}

/**
 * @param threads how many pages are worked on at once; others wait. Started as they are needed, 60 MB each. As many as cores: for
 *   pages without a browser extraction is nearly all there is to do.
 */
export function createExtractor(threads = Math.min(8, availableParallelism())): Extractor {
  // Run from its sources there is no built thread to start; only tests do that.
  return import.meta.url.endsWith('.ts') ? inlineExtractor : new ThreadExtractor(threads);
}

type Answer = { result: unknown } | { failure: string };

interface Waiting {
  take(worker: Worker): void;
}

/**
 * A thread is dear at first: it loads its modules, and compiles every hot function by itself, for some hundred pages. Beside a
 * browser, where two pages rarely meet, one warm thread took 25 ms of processor time a page over its first 200, two took 33.
 * So another is started only when two wait, or one for long.
 */
class ThreadExtractor implements Extractor {
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: Waiting[] = [];

  constructor(private readonly threads: number) {}

  async extract(input: ExtractInput, signal: AbortSignal): Promise<Extracted> {
    // The way to a thread and back costs more than there is to do.
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
      throw new PageFailure('extraction_failed', undefined, { cause: new Error(answer.failure) });
    } finally {
      this.#release(worker);
    }
  }

  warmUp(): void {
    void this.#warmUp().catch(() => {
      // Stopped meanwhile; a thread that cannot start fails the page that asks for it.
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

  /** One more thread for somebody who waits, if there may be more. */
  #startFor(waiting: Waiting): void {
    const place = this.#waiting.indexOf(waiting);
    if (place < 0 || this.#all.size >= this.threads) return;
    this.#waiting.splice(place, 1);
    waiting.take(this.#start());
  }

  #release(worker: Worker): void {
    // An ended one is replaced when somebody waits for it.
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

/** Text that only has to be looked through, in a few milliseconds. */
const SMALL_CHARS = 500_000;
/** A large page takes half a second, most take ten milliseconds; a thread that starts beside a busy browser is one to wait for too. */
const LONG_WAIT_MS = 1000;

/** One question to an idle thread. A thread that is not waited for to the end has ended when this settles. */
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
  extract: (input, signal) => inlineExtractor.read('page', input, signal),
  async read<Kind extends ReadingKind>(kind: Kind, input: InputOf<Kind>, signal: AbortSignal) {
    signal.throwIfAborted();
    try {
      return answer({ kind, input } as Question) as ResultOf<Kind>;
    } catch (cause) {
      throw new PageFailure('extraction_failed', undefined, { cause });
    }
  },
  warmUp() {},
  async stop() {},
};
