/** SQL of the days and months by which usage is counted: those of UTC, whatever the server's zone. */

const NOW = `(now() AT TIME ZONE 'UTC')`;

export const TODAY = `${NOW}::date`;
export const THIS_MONTH = `date_trunc('month', ${NOW})::date`;
/** Moments at which the next begins. */
export const TOMORROW = `((date_trunc('day', ${NOW}) + interval '1 day') AT TIME ZONE 'UTC')`;
export const NEXT_MONTH = `((date_trunc('month', ${NOW}) + interval '1 month') AT TIME ZONE 'UTC')`;
