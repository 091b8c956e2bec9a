import { parentPort } from 'node:worker_threads';
import { answer, type Question } from './readings.ts';

/** The body of an extraction thread: one question, one answer, in turn. */
parentPort?.on('message', (question: Question) => {
  try {
    parentPort?.postMessage({ result: answer(question) });
  } catch (error) {
    // A document nested too deeply ends here, as a stack overflow.
    parentPort?.postMessage({ failure: error instanceof Error ? error.message : String(error) });
  }
});
