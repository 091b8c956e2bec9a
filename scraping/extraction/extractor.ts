import { availableParallelism } from 'node:os';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { Extracted, ExtractInput } from './extract.ts';
import type { ExtractFileInput } from './files/extract-file.ts';
import { needsDocument } from './needs-document.ts';
import type { InputOf, Question, ReadingKind, ResultOf } from './readings.ts';
import { ThreadPool } from './thread-pool.ts';
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

class ThreadExtractor implements Extractor {
  readonly #pool: ThreadPool;

  constructor(threads: number) {
    this.#pool = new ThreadPool(new URL('./extract-thread.js', import.meta.url), threads);
  }

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
    return (await this.#pool.run({ kind, input } as Question, signal)) as ResultOf<Kind>;
  }

  warmUp(): void {
    this.#pool.warmUp({ kind: 'page', input: WARM_UP_PAGE } satisfies Question, WARM_UP_READINGS);
  }

  stop(): Promise<void> {
    return this.#pool.stop();
  }
}

/** Up to this size the work takes a few milliseconds. */
const SMALL_CHARS = 500_000;

const inlineExtractor: Extractor = {
  extract: (input, signal) =>
    'file' in input
      ? inlineExtractor.read('file', input, signal)
      : inlineExtractor.read('page', input, signal),
  async read<Kind extends ReadingKind>(kind: Kind, input: InputOf<Kind>, signal: AbortSignal) {
    signal.throwIfAborted();
    // Loaded when it is needed: most pages are read in threads, which load it themselves.
    const { answer } = await import('./readings.ts');
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
