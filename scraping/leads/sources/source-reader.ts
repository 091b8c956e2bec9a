import { PageFailure } from '../../../core/jobs/page-errors.ts';
import type { SourceType } from '../../../core/leads/lead.ts';
import { ThreadPool } from '../../extraction/thread-pool.ts';
import { errorOfCode, sourceError } from './errors.ts';
import type { SourceReadingAnswer } from './readers.ts';
import type { SourceQuestion } from './readings.ts';
import type { ReadAnswer } from './source.ts';

/**
 * Reads the answers of sources in a thread with a time limit: a result page is as foreign as any
 * page of a job, and a large one would hold up the event loop.
 */
export interface SourceReader {
  readFor(source: SourceType, signal: AbortSignal): ReadAnswer;
  stop(): Promise<void>;
}

/** A result page takes 20 ms, the largest answers of a map server a second. */
const READING_MS = 10_000;

export function createSourceReader(): SourceReader {
  // Tests run from the sources, where no built thread file exists.
  const pool = import.meta.url.endsWith('.ts')
    ? undefined
    : new ThreadPool(new URL('./reader-thread.js', import.meta.url), 1);
  const run = async (question: SourceQuestion, signal: AbortSignal): Promise<unknown> => {
    if (pool) return pool.run(question, signal);
    const { answerSource } = await import('./readers.ts');
    return answerSource(question);
  };

  return {
    readFor: (source, signal) =>
      (async (name, input) => {
        const tooLong = AbortSignal.timeout(READING_MS);
        try {
          const answer = (await run(
            { name, input },
            AbortSignal.any([signal, tooLong]),
          )) as SourceReadingAnswer;
          if (answer.kind === 'read') return answer.value;
          throw errorOfCode(answer.code, answer.message);
        } catch (cause) {
          signal.throwIfAborted();
          if (!tooLong.aborted && !(cause instanceof PageFailure)) throw cause;
          throw sourceError(source, 'source_unreadable', 'its answer could not be read', { cause });
        }
      }) as ReadAnswer,
    stop: async () => pool?.stop(),
  };
}
