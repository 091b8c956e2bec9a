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
import type { LiveMetrics } from '../metrics/metrics.ts';
import type { Auth } from '../middleware/authentication.ts';
import { problemOf } from '../middleware/error-handler.ts';
import type { Feed, Scope } from './event-hub.ts';
import { MAX_UNREAD_BYTES } from './sse.ts';
import type { Streams } from './streams.ts';
import { follow, type Sink } from './subscription.ts';

/** What conversations work with. */
export interface LiveDependencies {
  auth: Auth;
  sql: Sql;
  feed: Feed;
  streams: Streams;
  metrics: LiveMetrics;
  logger: Logger;
}

/** One WebSocket: what its client says, and what it is told. The messages are listed in `docs/reference/events.md`. */
export interface Conversation {
  /** The client is this one. */
  welcome(caller: Caller): void;
  /** Resolves when it is known who the client is. */
  introduced: Promise<void>;
}

const MAX_SUBSCRIPTIONS = 50;
/** Messages of the client that wait to be dealt with; whoever sends more does not wait for answers. */
const MAX_WAITING = 100;
/** Beats without an answer after which the client is gone. */
const MAX_SILENT_BEATS = 2;

/** Codes of our own begin at 4000; the last three digits are those of HTTP. */
export const CLOSE = { stopping: 1001, unauthorized: 4401, tooMany: 4429 } as const;

type Subscribe = Extract<ReturnType<typeof liveRequest.parse>, { subscribe: unknown }>;

export function openConversation(
  { auth, sql, feed, streams, metrics, logger }: LiveDependencies,
  { socket, stream, address }: { socket: WebSocket; stream: Duplex; address: string },
): Conversation {
  const subscriptions = new Map<string, AbortController>();
  let caller: Caller | undefined;
  let silentBeats = 0;
  let waiting = 0;
  let work: Promise<void> = Promise.resolve();
  let introduce = () => {};
  const introduced = new Promise<void>((resolve) => {
    introduce = resolve;
  });

  const say = (message: Record<string, unknown>) => write(JSON.stringify(message));
  const write = (text: string) => {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(text);
  };
  const drop = () => {
    metrics.dropped('websocket');
    socket.terminate();
  };
  const complain = (error: unknown, subscription?: string) => {
    const { status, code, detail } = problemOf(error);
    if (status >= 500) logger.warn('live_request_failed', { error });
    say({ type: 'error', ...(subscription === undefined ? {} : { subscription }), status, code, detail });
  };

  const welcome = (known: Caller) => {
    try {
      const close = streams.open(known, {
        kind: 'websocket',
        beat,
        end: (why) =>
          why === 'stopping'
            ? socket.close(CLOSE.stopping, 'stopping')
            : socket.close(CLOSE.unauthorized, 'the API key is no longer valid'),
      });
      socket.once('close', close);
    } catch (error) {
      complain(error);
      socket.close(CLOSE.tooMany, 'too many streams');
      return;
    }
    caller = known;
    introduce();
    say({ type: 'ready' });
  };
  const beat = () => {
    if (silentBeats >= MAX_SILENT_BEATS) return socket.terminate();
    silentBeats += 1;
    socket.ping();
  };

  const hear = async (text: string): Promise<void> => {
    const said = parseAs(liveRequest, parsed(text));
    if ('authenticate' in said) return authenticate(said.authenticate);
    if (!caller) {
      complain(unauthorized('expected {"authenticate": "<API key>"} first'));
      socket.close(CLOSE.unauthorized, 'unauthorized');
      return;
    }
    if ('subscribe' in said) return subscribe(said, caller);
    subscriptions.get(said.unsubscribe)?.abort();
    subscriptions.delete(said.unsubscribe);
    say({ type: 'unsubscribed', subscription: said.unsubscribe });
  };
  const authenticate = async (key: string) => {
    if (caller) throw conflict('already_authenticated', 'this connection has said who it is');
    try {
      welcome(await auth.callerOf(key, address));
    } catch (error) {
      complain(error);
      socket.close(CLOSE.unauthorized, 'unauthorized');
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
      // Not awaited: the client may say more while its past is read.
      follow({ sql, feed }, { scope, after, types: types ? new Set(types) : null }, sinkOf(id, ending)).catch(
        (error) => {
          if (subscriptions.get(id) === ending) subscriptions.delete(id);
          complain(error, id);
        },
      );
    } catch (error) {
      complain(error, id);
    }
  };
  const scopeOf = async (jobId: string | undefined, userId: string): Promise<Scope> => {
    if (!jobId) return { kind: 'user', userId };
    const job = await findJob(sql, userId, jobId);
    if (!job) throw notFound('there is no such job');
    return { kind: 'job', jobId, isFinal: isFinal(job.status) };
  };
  const sinkOf = (id: string, ending: AbortController): Sink => {
    const drained = async () => {
      const late = setTimeout(drop, streams.stalledMs);
      await once(stream, 'drain', { signal: ending.signal }).catch(() => {});
      clearTimeout(late);
    };
    const opening = `{"type":"event","subscription":${JSON.stringify(id)},"event":`;
    return {
      gone: ending.signal,
      begin: (from) => say({ type: 'subscribed', subscription: id, last_event_id: encodeEventCursor(from) }),
      send: (told) => {
        if (!ending.signal.aborted) write(`${opening}${told.json}}`);
      },
      room: () => (stream.writableNeedDrain ? drained() : undefined),
      isFull: () => socket.bufferedAmount > MAX_UNREAD_BYTES,
      end: () => {
        ending.abort();
        subscriptions.delete(id);
        say({ type: 'ended', subscription: id });
      },
    };
  };

  socket.on('message', (data, isBinary) => {
    if (waiting >= MAX_WAITING) return socket.terminate();
    waiting += 1;
    const text = isBinary ? '' : String(data);
    work = work
      .then(() => hear(text))
      .catch((error) => complain(error))
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
  return { welcome, introduced };
}

const tooManySubscriptions = () =>
  new Problem(429, 'too_many_subscriptions', `at most ${MAX_SUBSCRIPTIONS} subscriptions a connection`);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, 'malformed_json', 'expected a text message that holds JSON');
  }
}
