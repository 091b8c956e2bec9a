import { parentPort } from 'node:worker_threads';
import type { ThreadAnswer } from '../../extraction/thread-pool.ts';
import { answerSource } from './readers.ts';
import type { SourceQuestion } from './readings.ts';

/** Entry point of a thread that reads the answers of sources, one message at a time. */
parentPort?.on('message', (question: SourceQuestion) => {
  const answer = (message: ThreadAnswer) => parentPort?.postMessage(message);
  try {
    answer({ result: answerSource(question) });
  } catch (error) {
    answer({ failure: error instanceof Error ? error.message : String(error) });
  }
});
