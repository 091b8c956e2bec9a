import { EVENT_VERSION } from '../core/events/events.ts';

export interface EventRows {
  /** The rows that something happened to, one event each: a CTE's name, with a join or a WHERE if need be. */
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
 * How every statement writes the events of what it changes: as a CTE of the statement itself, so that a change without its event, or
 * an event without its change, cannot be, and neither costs a round trip.
 *
 * Text and not a function in plpgsql: a call for each row would be a statement for each row.
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
