import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Caller } from '../../db/accounts/users.ts';
import { requireScope } from '../http/access.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { originForm } from '../http/origin-form.ts';
import { notFound, overloaded, Problem, problemBody } from '../http/problem.ts';
import { keyOf } from '../middleware/authentication.ts';
import { problemOf } from '../middleware/error-handler.ts';
import { LIVE_NEEDS } from './events.ts';
import {
  CLOSE,
  type LiveDependencies,
  openSession,
  type SessionAuth,
  type WebSocketSession,
} from './websocket-session.ts';

const LIVE_PATH = '/api/v1/live';

/** WebSockets at `LIVE_PATH`. */
export interface LiveSockets {
  /** For a server's `upgrade`. False, and nothing done, if the request asks for something else. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Closes every connection, and cuts those that do not answer. */
  stop(): void;
}

/** Client messages are short: a key or a subscription. */
const MAX_MESSAGE_BYTES = 16 * 1024;
/** Connections that have not sent a key yet. */
const MAX_UNAUTHENTICATED = 100;
const AUTHENTICATION_MS = 10_000;
const CLOSE_MS = 1000;

export function createLiveSockets(dependencies: LiveDependencies, clientAddress: ClientAddress): LiveSockets {
  const { logger } = dependencies;
  const auth: SessionAuth = {
    callerOf: async (key, address) => {
      const caller = await dependencies.auth.callerOf(key, address);
      requireScope(caller, LIVE_NEEDS);
      return caller;
    },
  };
  // No compression: it would cost about 300 KB per connection.
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  // Without this `ws` answers with HTML.
  server.on('wsClientError', (error, stream, request) => refuse(stream, request, badHandshake(error)));
  const unauthenticated = new Set<WebSocket>();
  let stopped = false;

  const authenticate = async (request: IncomingMessage): Promise<Caller | null> => {
    if (pathOf(request) !== LIVE_PATH) throw notFound('there is nothing at this path');
    const key = keyOf(request);
    if (key) return auth.callerOf(key, clientAddress(request));
    if (unauthenticated.size >= MAX_UNAUTHENTICATED) throw overloaded();
    return null;
  };
  const startSession = (
    socket: WebSocket,
    stream: Duplex,
    request: IncomingMessage,
    caller: Caller | null,
  ) => {
    socket.on('error', (error) => logger.debug('live_socket_failed', { error }));
    const session = openSession(
      { ...dependencies, auth },
      { socket, stream, address: clientAddress(request) },
    );
    if (caller) session.start(caller);
    else awaitAuthentication(socket, session);
  };
  const awaitAuthentication = (socket: WebSocket, session: WebSocketSession) => {
    unauthenticated.add(socket);
    const late = setTimeout(() => socket.close(CLOSE.unauthorized, 'no key in time'), AUTHENTICATION_MS);
    const done = () => {
      clearTimeout(late);
      unauthenticated.delete(socket);
    };
    socket.on('close', done);
    void session.authenticated.then(done);
  };

  return {
    upgrade: (request, stream, head) => {
      if (request.method !== 'GET' || !asksForWebSocket(request)) return false;
      // `ws` expects it alone; clients may offer a list.
      request.headers.upgrade = 'websocket';
      // Until `ws` takes the socket over, no other listener handles its errors.
      const onError = (error: Error) => logger.debug('live_socket_failed', { error });
      stream.on('error', onError);
      authenticate(request).then(
        (caller) => {
          if (stopped) {
            stream.destroy();
            return;
          }
          server.handleUpgrade(request, stream, head, (socket) => {
            stream.off('error', onError);
            startSession(socket, stream, request, caller);
          });
        },
        (error) => refuse(stream, request, problemOf(error)),
      );
      return true;
    },
    stop: () => {
      stopped = true;
      for (const socket of server.clients) {
        socket.close(CLOSE.stopping, 'stopping');
        const late = setTimeout(() => socket.terminate(), CLOSE_MS);
        socket.once('close', () => clearTimeout(late));
      }
    },
  };
}

const badHandshake = ({ message }: Error) =>
  new Problem(400, 'malformed_request', `no WebSocket: ${message}`, {
    headers: { 'sec-websocket-version': '13' },
  });

const asksForWebSocket = ({ headers }: IncomingMessage): boolean =>
  /(?:^|,)\s*websocket\s*(?:,|$)/i.test(headers.upgrade ?? '');

const pathOf = ({ url = '' }: IncomingMessage): string | undefined =>
  originForm(url).split('?', 1)[0]?.replace(/\/$/, '');

/** Refuses an upgrade. Written by hand: the HTTP server has released this connection. */
function refuse(stream: Duplex, request: IncomingMessage, problem: Problem): void {
  const instance = request.url?.split('?', 1)[0] ?? '/';
  const body = JSON.stringify(problemBody(problem, { instance, requestId: randomUUID() }));
  const headers = {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...problem.extra.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  stream.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}\r\n${lines.join('')}\r\n${body}`,
  );
}
