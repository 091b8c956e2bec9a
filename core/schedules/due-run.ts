/** What becomes of a due time while the run before has not ended. */
export const OVERLAPS = ['skip', 'queue', 'cancel_running'] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** What becomes of times that passed while nothing ran here. */
export const MISSED = ['skip', 'run_once'] as const;
export type Missed = (typeof MISSED)[number];

/** A time that is later than this was missed: the installation was stopped or without a database. */
export const MISSED_AFTER_MS = 60_000;
/** How long a waiting time is left alone before its predecessor is looked at again. */
export const LOOK_AGAIN_MS = 1000;

export type DueDecision =
  /** Makes a job, and first cancels the one of the run before if `cancelsRunning`. */
  | { kind: 'start'; cancelsRunning: boolean }
  | { kind: 'skip'; reason: 'overlap' | 'missed' }
  /** The run before has not ended: asks again in `LOOK_AGAIN_MS`. */
  | { kind: 'wait' };

/**
 * Decides about the latest due time of a schedule that has not been decided. Earlier ones since the
 * last decision are merged into it: a schedule is never more than one run behind.
 */
export function decideDue(
  schedule: {
    overlap: Overlap;
    missed: Missed;
    /** The job of the run before has not ended. */
    isRunning: boolean;
    /** The time waited for the run before. */
    hasWaited: boolean;
  },
  dueAt: Date,
  now: Date,
): DueDecision {
  const isLate = now.getTime() - dueAt.getTime() > MISSED_AFTER_MS;
  if (isLate && !schedule.hasWaited && schedule.missed === 'skip') return { kind: 'skip', reason: 'missed' };
  if (!schedule.isRunning) return { kind: 'start', cancelsRunning: false };
  switch (schedule.overlap) {
    case 'skip':
      return { kind: 'skip', reason: 'overlap' };
    case 'queue':
      return { kind: 'wait' };
    case 'cancel_running':
      return { kind: 'start', cancelsRunning: true };
    default:
      return schedule.overlap satisfies never;
  }
}
