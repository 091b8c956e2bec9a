import { EVENT_VERSION } from '../../core/events/events.ts';
import { COUNTS_OF_JOB } from './change.ts';

/**
 * How every statement of a run that moves the progress of its job tells `job.progress`:
 *
 *     WITH mine AS (UPDATE jobs j SET ${setsProgress('$4', '$5', '$6')} WHERE … RETURNING ${PROGRESSED}),
 *     progress AS (${tellsProgress('mine')}) …
 *
 * The event is written with what it tells, and at most once a second a job, so that a job of a thousand quick pages does not fill
 * the ledger. Not with the heartbeat: what a run writes itself comes before the event of its end, whereas a heartbeat that
 * meets the settling statement at the job's row could be ordered behind it.
 */
export const setsProgress = (done: string, total: string, message: string): string => `
  progress_done = ${done}, progress_total = ${total}, progress_message = ${message},
  progress_told_at = CASE WHEN coalesce(j.progress_told_at < now() - interval '1 second', true) THEN now()
                          ELSE j.progress_told_at END`;

/** What `RETURNING` must give for the event. */
export const PROGRESSED = `
  j.id, j.user_id, j.correlation_id, j.attempt, j.progress_done, j.progress_total, j.progress_message, ${COUNTS_OF_JOB} AS counts,
  j.progress_told_at = now() AS tells`;

/** @param progressed the rows that were updated */
export const tellsProgress = (progressed: string): string => `
  INSERT INTO events (type, version, user_id, job_id, correlation_id, data)
  SELECT 'job.progress', '${EVENT_VERSION}', user_id, id, correlation_id, json_build_object(
           'job_id', id, 'status', 'running', 'attempt', attempt, 'done', progress_done, 'total', progress_total,
           'message', progress_message, 'counts', counts)
  FROM ${progressed} WHERE tells`;
