import { parentPort } from 'node:worker_threads';
import { answer, type Question } from './readings.ts';

/** Entry point of an extraction thread: answers one message at a time. */
parentPort?.on('message', (question: Question) => {
  try {
    parentPort?.postMessage({ result: answer(question) });
  } catch (error) {
    // A document nested too deeply arrives here as a stack overflow.
    parentPort?.postMessage({ failure: error instanceof Error ? error.message : String(error) });
  }
});
