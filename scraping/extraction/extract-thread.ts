import { parentPort } from 'node:worker_threads';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import { answer, type Question } from './readings.ts';

/** Entry point of an extraction thread: answers one message at a time. */
parentPort?.on('message', async (question: Question) => {
  try {
    parentPort?.postMessage({ result: await answer(question) });
  } catch (error) {
    // A document nested too deeply arrives here as a stack overflow.
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof PageFailure ? error.code : undefined;
    parentPort?.postMessage({ failure: message, code });
  }
});
