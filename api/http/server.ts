import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  answerMalformed,
  framingProblem,
  refuseExpectation,
  refuseRequest,
  refuseTunnel,
} from './malformed-http.ts';
import { answerWithoutUpgrade } from './upgrades.ts';

export interface HttpServer {
  /** Its base URL, such as http://127.0.0.1:3000. */
  url: string;
  /** Accepts no more connections, waits up to `graceMs` for running requests, and cuts the rest. */
  stop(graceMs: number): Promise<void>;
}

interface Limits {
  /** Timeout for a request's headers. */
  headersMs: number;
  /** Interval of the checks for these timeouts. */
  checkMs: number;
}

/** @throws the `listen` error, such as EADDRINUSE */
export async function listen(
  listener: RequestListener,
  { host, port }: { host: string; port: number },
  /** Handles upgrade requests; false if the protocol is not supported. */
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean,
  limits: Partial<Limits> = {},
): Promise<HttpServer> {
  const server = createServer({
    // Node's own answer has no body; see below.
    requireHostHeader: false,
    // Longer than the 60 s of load balancers, so that they close idle connections first.
    keepAliveTimeout: 65_000,
    headersTimeout: limits.headersMs ?? 30_000,
    // Timeout for receiving the whole request; the answer may take longer.
    requestTimeout: 60_000,
    connectionsCheckingInterval: limits.checkMs ?? 5000,
  });
  server.on('clientError', answerMalformed);
  let stopped: Promise<void> | undefined;
  server.on('request', (request, response) => {
    // Else a busy client would keep its connection, and so this server, open forever.
    if (stopped) response.setHeader('connection', 'close');
    const problem = framingProblem(request);
    if (problem) refuseRequest(response, problem);
    else listener(request, response);
  });
  if (upgrade) {
    server.on('upgrade', (request, socket, head) => {
      if (framingProblem(request) || !upgrade(request, socket, head)) {
        answerWithoutUpgrade(server, request, socket, head);
      }
    });
  }
  server.on('connect', (_request, socket) => refuseTunnel(socket));
  server.on('checkExpectation', (_request, response) => refuseExpectation(response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${hostInUrl(address)}:${address.port}`,
    stop: (graceMs) => {
      stopped ??= close(server, graceMs);
      return stopped;
    },
  };
}

/** `0.0.0.0` and `::` are addresses to listen on, not to connect to. */
function hostInUrl({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return family === 'IPv6' ? `[${address}]` : address;
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    // A keep-alive connection becomes idle after its answer and would stay open for a next request.
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    const late = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(late);
      resolve();
    });
  });
}
