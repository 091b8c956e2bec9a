/**
 * How often a job may wait for a site. A snooze spends no attempt, so without a budget a job whose site is gone for good would
 * wait for ever. What a snooze does to the budget:
 *   consumed   the site kept the job waiting and the run achieved nothing
 *   reset      the site keeps the job waiting, but the run achieved something
 *   unchanged  the job waits in a queue of our own, which moves
 */
export type SnoozeBudget = 'consumed' | 'reset' | 'unchanged';

/** Consumed in a row. At a quarter of a minute and more each. */
const MAX_SNOOZES = 60;

/** The job's snoozes after one more; null if its budget does not allow one. */
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
