import { EVENT_VERSION } from '../core/events/events.ts';

export interface EventRows {
  /** The rows that changed, one event each: the name of a CTE, with a join or a WHERE if needed. */
  from: string;
  /** SQL expressions over those rows; text in quotes, parameters with their `$`. */
  type: string;
  /** The event's content, as json. */
  data: string;
  userId?: string;
  jobId?: string;
  correlationId?: string;
}

/**
 * Every statement writes the events of its changes with this CTE, so that a change without its
 * event, or an event without its change, is impossible, and no round trip is added.
 *
 * SQL text and not a plpgsql function: a call per row would be a statement per row.
 */
export const insertEvents = ({
  from,
  type,
  data,
  userId = 'user_id',
  jobId = 'job_id',
  correlationId = 'correlation_id',
}: EventRows): string => `
    INSERT INTO events (type, version, user_id, job_id, correlation_id, data)
    SELECT ${type}, '${EVENT_VERSION}', ${userId}, ${jobId}, ${correlationId}, ${data}
    FROM ${from}`;
