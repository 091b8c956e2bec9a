import type { InFlight, WindowState } from '../db/jobs/turns.ts';

/**
 * Beyond the idle slots, the queue holds about this much of the fleet's recent work, so that a slot
 * finds a message while the scheduler looks for more. The rest waits in Postgres, in mutable order.
 */
const AHEAD_SECONDS = 0.5;
const LEAST_AHEAD = 4;

/** `windowSize`, except in the bench, which measures dispatching without workers. */
export type SizeOf = (fleet: Fleet) => number;

type Fleet = Pick<WindowState, 'slots' | 'claimsPerSecond'> & { running: number };

/** How many jobs may be on the queue, unclaimed. */
export function windowSize({ slots, running, claimsPerSecond }: Fleet): number {
  return Math.max(0, slots - running) + Math.max(LEAST_AHEAD, Math.ceil(AHEAD_SECONDS * claimsPerSecond));
}

/** How many more jobs may be put on the queue. */
export function roomIn(window: WindowState, sizeOf: SizeOf): { size: number; room: number } {
  const { dispatched, running } = totals(window.inFlight);
  const size = sizeOf({ slots: window.slots, claimsPerSecond: window.claimsPerSecond, running });
  return { size, room: Math.max(0, size - dispatched) };
}

function totals(inFlight: ReadonlyMap<string, InFlight>): { dispatched: number; running: number } {
  let dispatched = 0;
  let running = 0;
  for (const user of inFlight.values()) {
    dispatched += user.dispatched;
    running += user.running;
  }
  return { dispatched, running };
}
