import type { DispatchableJob } from '../db/jobs/dispatch.ts';
import { createEnvelope } from '../queue/envelope.ts';
import type { OutgoingMessage } from '../queue/queue.ts';
import { SCRAPE_JOBS } from '../queue/topology.ts';

export const SCRAPE_MESSAGE = 'scrape.job';
const SOURCE = 'leadengine.dispatch';
/**
 * Size of the search's fields; a larger search stays in Postgres, where the worker reads the
 * request.
 */
const MAX_SEARCH_BYTES = 64 * 1024;

/**
 * The wake-up message of a job: "job J, which had N attempts, is ready". `awaited` is a hint: of a
 * job that another message started, a waiting request learns a little later, by polling.
 */
export function scrapeMessage(job: DispatchableJob): OutgoingMessage {
  return {
    exchange: '',
    routingKey: SCRAPE_JOBS,
    mandatory: true,
    envelope: createEnvelope({
      type: SCRAPE_MESSAGE,
      version: '1.0',
      source: SOURCE,
      correlation_id: job.correlationId,
      user_id: job.userId,
      data: {
        ...{ job_id: job.id, attempt: job.attempt, user_id: job.userId, ...truncateSearch(job.search) },
        ...(job.awaited ? { awaited: true } : {}),
      },
    }),
  };
}

/** The search, or a note that it is too large for a message. */
export const truncateSearch = (search: Record<string, unknown>): Record<string, unknown> =>
  Buffer.byteLength(JSON.stringify(search)) <= MAX_SEARCH_BYTES ? search : { truncated: true };
