import { insertEvents } from '../insert-events.ts';
import { COUNTS_OF_JOB } from './change.ts';

/**
 * Every statement of a run that changes the progress of its job writes `job.progress` like this:
 *
 *     WITH mine AS (
 *       UPDATE jobs j SET ${setsProgress('$4', '$5', '$6')} WHERE … RETURNING ${PROGRESSED}
 *     ),
 *     progress_event AS (${progressEvents('mine')}) …
 *
 * The event is written with the change it reports, and at most once per second and job, so that a
 * job of a thousand quick pages does not fill the ledger. Not with the heartbeat: a run's own
 * writes precede the event of its end, whereas a heartbeat that meets the settling statement at the
 * job's row could be ordered after it.
 */
export const setsProgress = (done: string, total: string, message: string): string => `
  progress_done = ${done}, progress_total = ${total}, progress_message = ${message},
  progress_event_at = CASE WHEN coalesce(j.progress_event_at < now() - interval '1 second', true) THEN now()
                          ELSE j.progress_event_at END`;

/** What `RETURNING` must return for the event. */
export const PROGRESSED = `
  j.id, j.user_id, j.correlation_id, j.attempt, j.progress_done, j.progress_total, j.progress_message, ${COUNTS_OF_JOB} AS counts,
  j.progress_event_at = now() AS event_is_due`;

/** @param progressed the rows that were updated */
export const progressEvents = (progressed: string): string =>
  insertEvents({
    ...{ from: `${progressed} WHERE event_is_due`, type: "'job.progress'", jobId: 'id' },
    data: `json_build_object(
             'job_id', id, 'status', 'running', 'attempt', attempt, 'done', progress_done, 'total', progress_total,
             'message', progress_message, 'counts', counts)`,
  });
