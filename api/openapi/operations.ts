import { z } from 'zod';
import { listDeadLettersQuery, requeueDeadLettersRequest } from '../../core/events/dead-letter-schemas.ts';
import { listEventsQuery } from '../../core/events/live-schemas.ts';
import { queueQuery } from '../../core/jobs/job-queries.ts';
import { NDJSON } from '../http/stream.ts';
import {
  anything,
  count,
  listOf,
  type Operation,
  type Operations,
  ok,
  removed,
  time,
  uuid,
} from './operation.ts';

const event = z
  .object({
    cursor: z.string(),
    id: uuid,
    type: z.string(),
    version: z.string(),
    occurred_at: time,
    source: z.string(),
    correlation_id: z.string(),
    user_id: uuid.nullable(),
    data: anything,
  })
  .meta({ id: 'Event' });

const events = (summary: string): Operation => ({
  summary,
  description: 'A stream of Server-Sent Events, which `Last-Event-ID` resumes; or what happened before.',
  query: listEventsQuery,
  answers: {
    200: { says: 'Events', json: listOf('events', event), types: ['text/event-stream', NDJSON] },
  },
  errors: { 429: ['too_many_streams'] },
});

const deadLetter = z
  .looseObject({
    id: uuid,
    job_id: uuid.nullable(),
    delivery_id: uuid.nullable(),
    user_id: uuid.nullable(),
    queue: z.string(),
    code: z.string(),
    message: z.string(),
    body: z.string().nullable(),
    attempts: z.array(anything),
    created_at: time,
  })
  .meta({ id: 'DeadLetter' });

const queueHealth = z.object({ status: z.string(), driver: z.string(), reason: z.string().optional() });
const probe = z.looseObject({ status: z.string(), reason: z.string().optional() });
const unavailable = { says: 'It is not', json: probe };

/** Events, the fleet, dead letters and probes. */
export const operationOperations: Operations = {
  'GET /api/v1/events': events('Follow or list your events'),
  'GET /api/v1/jobs/:id/events': events('Follow or list the events of a job'),
  'GET /api/v1/live': {
    summary: 'Follow events by WebSocket',
    answers: { 101: { says: 'The WebSocket is open' } },
    errors: { 426: ['upgrade_required'] },
  },
  'POST /mcp': {
    summary: 'Serve an agent by the Model Context Protocol',
    description: 'JSON-RPC 2.0 over streamable HTTP.',
    body: z.union([anything, z.array(anything)]),
    answers: {
      200: { says: 'The answer', json: z.unknown(), types: ['text/event-stream'] },
      202: { says: 'A notification was taken' },
      400: {
        says: 'It is no request of the protocol',
        json: z.unknown(),
        types: ['application/problem+json'],
      },
      406: { says: 'The client takes no answer of the protocol', json: z.unknown() },
    },
  },
  'GET /api/v1/workers': {
    summary: 'List the workers',
    answers: ok('Those heard of within a minute', z.object({ workers: z.array(anything) })),
  },
  'GET /api/v1/queue': {
    summary: 'Count waiting and running jobs',
    query: queueQuery,
    answers: ok(
      'The queue',
      z
        .looseObject({
          scope: z.enum(['own', 'all']),
          waiting: count,
          running: count,
          jobs_by_state: z.object({ scheduled: count, queued: count, running: count, retrying: count }),
          workers: count,
          slots: count,
        })
        .meta({ id: 'QueueState' }),
    ),
  },
  'GET /api/v1/dead-letters': {
    summary: 'List dead letters, newest first',
    query: listDeadLettersQuery,
    answers: ok('Dead letters', listOf('dead_letters', deadLetter)),
  },
  'POST /api/v1/dead-letters/requeue': {
    summary: 'Run or send all that match again',
    body: requeueDeadLettersRequest,
    isBodyOptional: true,
    answers: ok('How many', anything),
  },
  'GET /api/v1/dead-letters/:id': { summary: 'Show a dead letter', answers: ok('It', deadLetter) },
  'DELETE /api/v1/dead-letters/:id': { summary: 'Discard a dead letter', answers: removed('It is gone') },
  'POST /api/v1/dead-letters/:id/requeue': {
    summary: 'Run or send a dead letter again',
    answers: ok('What became of it', anything),
    errors: { 409: ['not_requeueable'] },
  },
  'GET /health': {
    summary: 'Show the health of all parts',
    answers: { ...ok('It is well', probe), 503: unavailable },
  },
  'GET /health/live': { summary: 'Whether the process is up', answers: ok('It is', probe) },
  'GET /health/ready': {
    summary: 'Whether jobs can be accepted',
    answers: { ...ok('They can', probe), 503: unavailable },
  },
  'GET /health/rabbitmq': {
    summary: 'Whether messages flow, with either queue',
    answers: { ...ok('They do', queueHealth), 503: { says: 'They do not', json: queueHealth } },
  },
  'GET /metrics': {
    summary: 'Metrics for Prometheus',
    answers: { 200: { says: 'Metrics', types: ['text/plain', 'application/openmetrics-text'] } },
  },
  'GET /openapi.json': { summary: 'This document', answers: ok('OpenAPI 3.1', anything) },
  'GET /docs': {
    summary: 'This document to read',
    answers: { 200: { says: 'A page', types: ['text/html'] } },
  },
};
