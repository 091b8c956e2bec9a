import { setImmediate } from 'node:timers/promises';

/** Work that goes on for longer lets other requests have their turn. */
const SLICE_MS = 10;

/** For long work in parts: called between two of them, it waits for the event loop where this work has held it for long enough. */
export function createBreather(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < SLICE_MS) return;
    await setImmediate();
    since = performance.now();
  };
}
