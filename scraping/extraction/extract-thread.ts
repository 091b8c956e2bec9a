import { parentPort } from 'node:worker_threads';
import { type ExtractInput, extract } from './extract.ts';

/** The body of an extraction thread: one input, one answer, in turn. */
parentPort?.on('message', (input: ExtractInput) => {
  try {
    parentPort?.postMessage({ extracted: extract(input) });
  } catch (error) {
    // A document nested too deeply ends here, as a stack overflow.
    parentPort?.postMessage({ failure: error instanceof Error ? error.message : String(error) });
  }
});
