/**
 * How often a job may wait for a site. A snooze costs no attempt, so without a budget a job whose
 * site never returns would wait forever. What a snooze does to the budget:
 *   consumed   the site kept the job waiting and the run achieved nothing
 *   reset      the site keeps the job waiting, but the run achieved something
 *   unchanged  the job waits in our own host queue, which makes progress
 */
export type SnoozeBudget = 'consumed' | 'reset' | 'unchanged';

/** Snoozes in a row without progress, 15 s or more each. */
const MAX_SNOOZES = 60;

/** The snooze count after one more; null if the budget is used up. */
export function snoozesAfter(snoozes: number, budget: SnoozeBudget): number | null {
  switch (budget) {
    case 'consumed':
      return snoozes < MAX_SNOOZES ? snoozes + 1 : null;
    case 'reset':
      return 0;
    case 'unchanged':
      return snoozes;
    default:
      return budget satisfies never;
  }
}
