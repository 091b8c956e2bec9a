import { ping, type Sql } from '../../db/connect.ts';
import { readFleetHealth } from '../../db/jobs/fleet.ts';
import type { Queue } from '../../queue/queue.ts';
import { withTimeout } from '../../runtime/timeout.ts';
import { type Handler, sendJson, sendText } from '../http/route.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** `GET /health/live`: the process is up. */
export const live: Handler = (_request, response) => sendJson(response, 200, { status: 'alive' });

/** Probes time out after a second or more; a 503 in time is better than no answer. */
const PING_MS = 1000;

/**
 * `GET /health/ready`: jobs can be accepted. A broker outage does not matter: jobs wait in
 * Postgres.
 */
export const ready =
  (sql: Sql, stopping: () => boolean): Handler =>
  async (_request, response) => {
    const reason = stopping() ? 'stopping' : await pingProblem(sql);
    if (reason) sendJson(response, 503, { status: 'unavailable', reason }, { 'retry-after': '2' });
    else sendJson(response, 200, { status: 'ready' });
  };

async function pingProblem(sql: Sql): Promise<string | null> {
  try {
    await withTimeout(ping(sql), PING_MS, () => new Error('no answer'));
    return null;
  } catch {
    return 'the database does not answer';
  }
}

/** `GET /health/rabbitmq`: whether messages flow, with either driver. */
export const queueHealth =
  (queue: Pick<Queue, 'health'>): Handler =>
  (_request, response) => {
    const { healthy, driver, reason } = queue.health();
    sendJson(response, healthy ? 200 : 503, {
      status: healthy ? 'healthy' : 'unhealthy',
      driver,
      ...(reason === undefined ? {} : { reason }),
    });
  };

/**
 * `GET /health`: all of it at once, for people: what the probes below say, and workers whose browser
 * runs without its sandbox.
 */
export const overview =
  (sql: Sql, queue: Pick<Queue, 'health'>, stopping: () => boolean): Handler =>
  async (_request, response) => {
    const reason = stopping() ? 'stopping' : await pingProblem(sql);
    const { healthy, driver } = queue.health();
    const fleet = reason
      ? null
      : await withTimeout(readFleetHealth(sql), PING_MS, () => new Error('no answer')).catch(() => null);
    sendJson(response, reason ? 503 : 200, {
      status: reason ? 'unavailable' : 'ready',
      ...(reason ? { reason } : {}),
      queue: { status: healthy ? 'healthy' : 'unhealthy', driver },
      ...(fleet ? { workers: fleet } : {}),
    });
  };

/** `GET /metrics`, for Prometheus. */
export const showMetrics =
  (metrics: Metrics): Handler =>
  async (_request, response) => {
    const { contentType, text } = await metrics.expose();
    sendText(response, 200, contentType, text);
  };
