import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { liveRequest } from '../../core/events/live-schemas.ts';
import { isFinal } from '../../core/jobs/job-status.ts';
import type { Caller } from '../../db/accounts/users.ts';
import type { Sql } from '../../db/connect.ts';
import { findJob } from '../../db/jobs/read.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { decodeEventCursor, encodeEventCursor } from '../http/cursor.ts';
import { conflict, notFound, Problem, unauthorized } from '../http/problem.ts';
import { parseAs } from '../http/validation.ts';
import type { StreamMetrics } from '../metrics/metrics.ts';
import type { Auth } from '../middleware/authentication.ts';
import { problemOf } from '../middleware/error-handler.ts';
import type { EventHub, Scope } from './event-hub.ts';
import { MAX_UNREAD_BYTES } from './sse.ts';
import type { Streams } from './streams.ts';
import { runSubscription, type Sink } from './subscription.ts';

export type SessionAuth = Pick<Auth, 'callerOf'>;

export interface LiveDependencies {
  auth: SessionAuth;
  sql: Sql;
  hub: EventHub;
  streams: Streams;
  metrics: StreamMetrics;
  logger: Logger;
}

/** One WebSocket connection. `docs/reference/events.md` lists its messages. */
export interface WebSocketSession {
  /** Begins the session of an authenticated client. */
  start(caller: Caller): void;
  /** Resolves when the client is authenticated. */
  authenticated: Promise<void>;
}

const MAX_SUBSCRIPTIONS = 50;
/** Client messages not yet handled; a client that sends more does not wait for answers. */
const MAX_WAITING = 100;
/** Pings without a pong after which the client counts as gone. */
const MAX_SILENT_BEATS = 2;

/** Application codes start at 4000; the last three digits are the HTTP status. */
export const CLOSE = { stopping: 1001, unauthorized: 4401, forbidden: 4403, tooMany: 4429 } as const;

type Subscribe = Extract<ReturnType<typeof liveRequest.parse>, { subscribe: unknown }>;

export function openSession(
  { auth, sql, hub, streams, metrics, logger }: LiveDependencies,
  { socket, stream, address }: { socket: WebSocket; stream: Duplex; address: string },
): WebSocketSession {
  const subscriptions = new Map<string, AbortController>();
  let caller: Caller | undefined;
  let silentBeats = 0;
  let waiting = 0;
  let work: Promise<void> = Promise.resolve();
  let resolveAuthenticated = () => {};
  const authenticated = new Promise<void>((resolve) => {
    resolveAuthenticated = resolve;
  });

  const send = (message: Record<string, unknown>) => write(JSON.stringify(message));
  const write = (text: string) => {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(text);
  };
  const drop = () => {
    metrics.dropped('websocket');
    socket.terminate();
  };
  const sendError = (error: unknown, subscription?: string) => {
    const { status, code, detail } = problemOf(error);
    if (status >= 500) logger.warn('live_request_failed', { error });
    send({ type: 'error', ...(subscription === undefined ? {} : { subscription }), status, code, detail });
  };

  const start = (authenticatedCaller: Caller) => {
    try {
      const close = streams.open(authenticatedCaller, {
        kind: 'websocket',
        beat,
        end: (why) =>
          why === 'stopping'
            ? socket.close(CLOSE.stopping, 'stopping')
            : socket.close(CLOSE.unauthorized, 'the API key is no longer valid'),
      });
      socket.once('close', close);
    } catch (error) {
      sendError(error);
      socket.close(CLOSE.tooMany, 'too many streams');
      return;
    }
    caller = authenticatedCaller;
    resolveAuthenticated();
    send({ type: 'ready' });
  };
  const beat = () => {
    if (silentBeats >= MAX_SILENT_BEATS) return socket.terminate();
    silentBeats += 1;
    socket.ping();
  };

  const onMessage = async (text: string): Promise<void> => {
    const message = parseAs(liveRequest, parsed(text));
    if ('authenticate' in message) return authenticate(message.authenticate);
    if (!caller) {
      sendError(unauthorized('expected {"authenticate": "<API key>"} first'));
      socket.close(CLOSE.unauthorized, 'unauthorized');
      return;
    }
    if ('subscribe' in message) return subscribe(message, caller);
    subscriptions.get(message.unsubscribe)?.abort();
    subscriptions.delete(message.unsubscribe);
    send({ type: 'unsubscribed', subscription: message.unsubscribe });
  };
  const authenticate = async (key: string) => {
    if (caller) throw conflict('already_authenticated', 'this connection is already authenticated');
    try {
      start(await auth.callerOf(key, address));
    } catch (error) {
      sendError(error);
      if (problemOf(error).status === 403) socket.close(CLOSE.forbidden, 'forbidden');
      else socket.close(CLOSE.unauthorized, 'unauthorized');
    }
  };
  const subscribe = async ({ subscribe, last_event_id }: Subscribe, { userId }: Caller) => {
    const { id, job_id, types } = subscribe;
    try {
      if (subscriptions.has(id)) throw conflict('subscription_exists', `there is a subscription ${id}`);
      if (subscriptions.size >= MAX_SUBSCRIPTIONS) throw tooManySubscriptions();
      const after = last_event_id ? decodeEventCursor(last_event_id, 'last_event_id') : null;
      const scope = await scopeOf(job_id, userId);
      const ending = new AbortController();
      subscriptions.set(id, ending);
      // Not awaited: the client may send more messages while its ledger part is read.
      runSubscription(
        { sql, hub },
        { scope, after, types: types ? new Set(types) : null },
        sinkOf(id, ending),
      ).catch((error) => {
        if (subscriptions.get(id) === ending) subscriptions.delete(id);
        sendError(error, id);
      });
    } catch (error) {
      sendError(error, id);
    }
  };
  const scopeOf = async (jobId: string | undefined, userId: string): Promise<Scope> => {
    if (!jobId) return { kind: 'user', userId };
    const job = await findJob(sql, userId, jobId);
    if (!job) throw notFound('there is no such job');
    return { kind: 'job', jobId, isFinal: isFinal(job.status) };
  };
  const sinkOf = (id: string, ending: AbortController): Sink => {
    const untilDrained = async () => {
      const late = setTimeout(drop, streams.stalledMs);
      await once(stream, 'drain', { signal: ending.signal }).catch(() => {});
      clearTimeout(late);
    };
    const opening = `{"type":"event","subscription":${JSON.stringify(id)},"event":`;
    return {
      gone: ending.signal,
      begin: (from) => send({ type: 'subscribed', subscription: id, last_event_id: encodeEventCursor(from) }),
      send: (event) => {
        if (!ending.signal.aborted) write(`${opening}${event.json}}`);
      },
      drained: () => (stream.writableNeedDrain ? untilDrained() : undefined),
      isFull: () => socket.bufferedAmount > MAX_UNREAD_BYTES,
      end: () => {
        ending.abort();
        subscriptions.delete(id);
        send({ type: 'ended', subscription: id });
      },
    };
  };

  socket.on('message', (data, isBinary) => {
    if (waiting >= MAX_WAITING) return socket.terminate();
    waiting += 1;
    const text = isBinary ? '' : String(data);
    work = work
      .then(() => onMessage(text))
      .catch((error) => sendError(error))
      .finally(() => {
        waiting -= 1;
      });
  });
  socket.on('pong', () => {
    silentBeats = 0;
  });
  socket.once('close', () => {
    for (const ending of subscriptions.values()) ending.abort();
    subscriptions.clear();
  });
  return { start, authenticated };
}

const tooManySubscriptions = () =>
  new Problem(429, 'too_many_subscriptions', `at most ${MAX_SUBSCRIPTIONS} subscriptions per connection`);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, 'malformed_json', 'expected a text message that holds JSON');
  }
}
