import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a loop may keep the event loop from everybody else. */
const SLICE_MS = 10;

/**
 * For a loop over as many things as a stranger sends: `if (slice.isOver) await slice.next()` in it lets the event loop have its turn
 * every 10 ms, whatever one round costs.
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
      await nextTurn();
      since = performance.now();
    },
  };
}
