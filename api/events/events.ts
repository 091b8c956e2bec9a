import { listEventsQuery } from '../../core/events/live-schemas.ts';
import { isFinal } from '../../core/jobs/job-status.ts';
import type { Sql } from '../../db/connect.ts';
import {
  BEGINNING,
  END,
  type EventCursor,
  type LedgerEvent,
  type LedgerPart,
  listJobEvents,
  listUserEvents,
} from '../../db/events/events.ts';
import { decodeEventCursor, encodeEventCursor } from '../http/cursor.ts';
import { stopping, upgradeRequired } from '../http/problem.ts';
import { type ApiRequest, type ApiResponse, answerHeaders, type Handler, sendText } from '../http/route.ts';
import { NDJSON, sendStream } from '../http/stream.ts';
import { readQuery } from '../http/validation.ts';
import { ownJob } from '../jobs/own-job.ts';
import type { StreamMetrics } from '../metrics/metrics.ts';
import type { EventHub, Scope } from './event-hub.ts';
import { SerializedEvent } from './serialized-event.ts';
import { openSse } from './sse.ts';
import type { Streams } from './streams.ts';
import { runSubscription } from './subscription.ts';

export interface Live {
  sql: Sql;
  hub: EventHub;
  streams: Streams;
  metrics: StreamMetrics;
}

/** `GET /events`: the user's own events, live or from the ledger. */
export const listOwnEvents =
  (live: Live): Handler =>
  (request, response) =>
    sendEvents(live, request, response, { kind: 'user', userId: response.locals.caller.userId });

/** `GET /jobs/{id}/events`: the same for one job, from its first event to its last. */
export const listEventsOfJob =
  (live: Live): Handler =>
  async (request, response) => {
    const job = await ownJob(live.sql, request, response);
    await sendEvents(live, request, response, {
      kind: 'job',
      jobId: job.job_id,
      isFinal: isFinal(job.status),
    });
  };

/** What live events need, by WebSocket too. */
export const LIVE_NEEDS = 'events:read';

/** `GET /live` as a plain request; the WebSocket is in `api/events/websocket.ts`. */
export const liveWithoutUpgrade: Handler = () => {
  throw upgradeRequired();
};

type Query = ReturnType<typeof readEventsQuery>;

const readEventsQuery = (request: ApiRequest) => readQuery(request, listEventsQuery);

async function sendEvents(
  live: Live,
  request: ApiRequest,
  response: ApiResponse,
  scope: Scope,
): Promise<void> {
  const query = readEventsQuery(request);
  const after = requestedCursor(request, query);
  const format = formatOf(request, query, scope);
  if (format === 'sse') return stream(live, request, response, { scope, query, after });
  const read = ledgerReader(live.sql, scope, query);
  const from = after ?? BEGINNING;
  if (format === 'ndjson')
    return sendStream(response, { 'content-type': NDJSON }, lines(read, from, query.limit));
  const limit = query.limit ?? DEFAULT_LIMIT;
  // One more than requested shows whether there is a next page.
  const found = await read(from, limit + 1);
  const events = found.slice(0, limit);
  const last = found.length > limit ? events.at(-1) : undefined;
  const nextCursor = JSON.stringify(last ? encodeEventCursor(last) : null);
  const text = `{"events":[${events.map(toJson).join(',')}],"next_cursor":${nextCursor}}`;
  sendText(response, 200, 'application/json; charset=utf-8', text);
}

const DEFAULT_LIMIT = 100;
const toJson = (event: LedgerEvent): string => new SerializedEvent(event).json;

/** The header wins: a reconnecting `EventSource` sends its cursor there, with its original URL. */
function requestedCursor(request: ApiRequest, query: Query): EventCursor | null {
  const header = request.headers['last-event-id'];
  if (typeof header === 'string' && header !== '') return decodeEventCursor(header, 'Last-Event-ID');
  if (query.last_event_id) return decodeEventCursor(query.last_event_id, 'last_event_id');
  return query.after ? decodeEventCursor(query.after, 'after') : null;
}

const SSE = 'text/event-stream';
const JSON_TYPE = 'application/json';
const BY_TYPE = { [SSE]: 'sse', [JSON_TYPE]: 'json', [NDJSON]: 'ndjson' } as const;

/** The format requested by name; else a stream, unless the query asks for a part of the ledger. */
function formatOf(request: ApiRequest, query: Query, scope: Scope): 'sse' | 'json' | 'ndjson' {
  if (query.format) return query.format;
  const { accept = '' } = request.headers;
  const best = request.accepts([SSE, JSON_TYPE, NDJSON]) as keyof typeof BY_TYPE | false;
  if (best && accept.includes(best)) return BY_TYPE[best];
  const asksForPart = query.limit !== undefined || (query.after !== undefined && scope.kind === 'user');
  return asksForPart ? 'json' : 'sse';
}

type LedgerReader = (after: EventCursor, limit: number) => Promise<LedgerEvent[]>;

function ledgerReader(sql: Sql, scope: Scope, { type }: Query): LedgerReader {
  const types = type ?? null;
  return (after, limit) => {
    const part: LedgerPart = { after, upTo: END, limit };
    return scope.kind === 'job'
      ? listJobEvents(sql, scope.jobId, types, part)
      : listUserEvents(sql, scope.userId, types, part);
  };
}

const LINES_AT_ONCE = 500;

async function* lines(
  read: LedgerReader,
  from: EventCursor,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  let cursor = from;
  let left = limit;
  while (left > 0) {
    const wanted = Math.min(left, LINES_AT_ONCE);
    const events = await read(cursor, wanted);
    for (const event of events) yield `${toJson(event)}\n`;
    const last = events.at(-1);
    if (!last || events.length < wanted) return;
    left -= events.length;
    cursor = last;
  }
}

async function stream(
  { sql, hub, streams, metrics }: Live,
  request: ApiRequest,
  response: ApiResponse,
  { scope, query, after }: { scope: Scope; query: Query; after: EventCursor | null },
): Promise<void> {
  if (request.method === 'HEAD') {
    response.writeHead(200, { ...answerHeaders(response), 'content-type': SSE });
    response.end();
    return;
  }
  const sink = openSse(response, { streams, metrics });
  const types = query.type ? new Set<string>(query.type) : null;
  await runSubscription({ sql, hub }, { scope, after, types }, sink);
  if (!response.headersSent && !response.destroyed) throw stopping();
}
