import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerMalformed, refuseExpectation, refuseTunnel, refuseWithoutHost } from './malformed-http.ts';
import { answerWithoutUpgrade } from './upgrades.ts';

export interface HttpServer {
  /** Where it answers, such as http://127.0.0.1:3000. */
  url: string;
  /** Takes no more connections, lets requests under way finish for up to `graceMs`, and cuts what is left. */
  stop(graceMs: number): Promise<void>;
}

interface Limits {
  /** For the head of a request to arrive. */
  headersMs: number;
  /** How often it is looked at who is late. */
  checkMs: number;
}

/** @throws the `listen` error, such as EADDRINUSE */
export async function listen(
  listener: RequestListener,
  { host, port }: { host: string; port: number },
  /** Takes connections that want another protocol; false where it is none that is spoken here. */
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean,
  limits: Partial<Limits> = {},
): Promise<HttpServer> {
  const server = createServer({
    // Node's own answer would be a bare one; see below.
    requireHostHeader: false,
    // Longer than the 60 s that load balancers keep an idle connection, so that it is they who close it.
    keepAliveTimeout: 65_000,
    headersTimeout: limits.headersMs ?? 30_000,
    // For the request to arrive whole; an answer may take longer.
    requestTimeout: 60_000,
    connectionsCheckingInterval: limits.checkMs ?? 5000,
  });
  server.on('clientError', answerMalformed);
  let stopped: Promise<void> | undefined;
  server.on('request', (request, response) => {
    // Or a busy client would keep its connection, and with it this server, for ever.
    if (stopped) response.setHeader('connection', 'close');
    if (request.headers.host === undefined && request.httpVersion === '1.1') refuseWithoutHost(response);
    else listener(request, response);
  });
  if (upgrade) {
    server.on('upgrade', (request, socket, head) => {
      if (!upgrade(request, socket, head)) answerWithoutUpgrade(server, request, socket, head);
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

/** `0.0.0.0` and `::` are where to listen, not where to go. */
function hostInUrl({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return family === 'IPv6' ? `[${address}]` : address;
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    // A kept-alive connection becomes idle when its answer is out, and would otherwise stay for its next request.
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    const late = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(late);
      resolve();
    });
  });
}
