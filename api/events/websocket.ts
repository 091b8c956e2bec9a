import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Caller } from '../../db/accounts/users.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { originForm } from '../http/origin-form.ts';
import { notFound, overloaded, type Problem, problemBody } from '../http/problem.ts';
import { keyOf } from '../middleware/authentication.ts';
import { problemOf } from '../middleware/error-handler.ts';
import { CLOSE, type Conversation, type LiveDependencies, openConversation } from './websocket-session.ts';

const LIVE_PATH = '/api/v1/live';

/** WebSockets at `LIVE_PATH`. */
export interface LiveSockets {
  /** For a server's `upgrade`. False where the request asks for something else; nothing was done then. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Says goodbye to everybody, and cuts who does not answer. */
  stop(): void;
}

/** Clients say little: a key, or what they want to hear. */
const MAX_MESSAGE_BYTES = 16 * 1024;
/** Connections that have not said yet who they are. */
const MAX_STRANGERS = 100;
const INTRODUCTION_MS = 10_000;
const GOODBYE_MS = 1000;

export function createLiveSockets(dependencies: LiveDependencies, clientAddress: ClientAddress): LiveSockets {
  const { auth, logger } = dependencies;
  // Not compressed: each connection would keep some 300 KB for it.
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  const strangers = new Set<WebSocket>();
  let stopped = false;

  const admit = async (request: IncomingMessage): Promise<Caller | null> => {
    if (pathOf(request) !== LIVE_PATH) throw notFound('there is nothing at this path');
    const key = keyOf(request);
    if (key) return auth.callerOf(key, clientAddress(request));
    if (strangers.size >= MAX_STRANGERS) throw overloaded();
    return null;
  };
  const converse = (socket: WebSocket, stream: Duplex, request: IncomingMessage, caller: Caller | null) => {
    socket.on('error', (error) => logger.debug('live_socket_failed', { error }));
    const conversation = openConversation(dependencies, { socket, stream, address: clientAddress(request) });
    if (caller) conversation.welcome(caller);
    else expectIntroduction(socket, conversation);
  };
  const expectIntroduction = (socket: WebSocket, conversation: Conversation) => {
    strangers.add(socket);
    const late = setTimeout(() => socket.close(CLOSE.unauthorized, 'no key in time'), INTRODUCTION_MS);
    const known = () => {
      clearTimeout(late);
      strangers.delete(socket);
    };
    socket.on('close', known);
    void conversation.introduced.then(known);
  };

  return {
    upgrade: (request, stream, head) => {
      if (!asksForWebSocket(request)) return false;
      // Until `ws` has it, nobody else would hear of it.
      const onError = (error: Error) => logger.debug('live_socket_failed', { error });
      stream.on('error', onError);
      admit(request).then(
        (caller) => {
          if (stopped) {
            stream.destroy();
            return;
          }
          server.handleUpgrade(request, stream, head, (socket) => {
            stream.off('error', onError);
            converse(socket, stream, request, caller);
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
        const late = setTimeout(() => socket.terminate(), GOODBYE_MS);
        socket.once('close', () => clearTimeout(late));
      }
    },
  };
}

const asksForWebSocket = ({ headers }: IncomingMessage): boolean =>
  /(?:^|,)\s*websocket\s*(?:,|$)/i.test(headers.upgrade ?? '');

const pathOf = ({ url = '' }: IncomingMessage): string | undefined =>
  originForm(url).split('?', 1)[0]?.replace(/\/$/, '');

/** An answer to an upgrade that is none: the HTTP server has let go of this connection. */
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
