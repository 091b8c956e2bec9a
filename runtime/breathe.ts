import { setImmediate } from 'node:timers/promises';

/** Longest time between two yields to the event loop. */
const SLICE_MS = 10;

/**
 * For long work in parts: the function, called between two parts, yields to the event loop every 10
 * ms.
 */
export function createBreather(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < SLICE_MS) return;
    await setImmediate();
    since = performance.now();
  };
}
