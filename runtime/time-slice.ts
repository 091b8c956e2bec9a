import { setImmediate as nextTick } from 'node:timers/promises';

/** How long a loop may block the event loop. */
const SLICE_MS = 10;

/**
 * For a loop over input of unbounded size: `if (slice.isOver) await slice.next()` in it yields to
 * the event loop every 10 ms, whatever one iteration costs.
 */
export interface TimeSlice {
  readonly isOver: boolean;
  next(): Promise<void>;
}

export function startTimeSlice(): TimeSlice {
  let since = performance.now();
  return {
    get isOver() {
      return performance.now() - since >= SLICE_MS;
    },
    async next() {
      await nextTick();
      since = performance.now();
    },
  };
}
