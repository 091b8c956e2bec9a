import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { parseUrl } from '../../core/parse-url.ts';
import { parseAddress } from '../../runtime/address-policy.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { dialFirst } from './dial.ts';
import { EgressError, type EgressGuard } from './guard.ts';
import { type EgressClient, ProxyClient, type Target } from './proxy-client.ts';
import { relayAnswer, sendRequest } from './relay.ts';
import type { UpstreamProxies } from './upstream-proxy.ts';

/**
 * The forward proxy on loopback for all browser traffic. Plain HTTP arrives as a request in
 * absolute form, everything else (https, wss, ws) as CONNECT. It resolves through the guard, dials
 * and streams.
 *
 * A blocked request gets no response body, which a page could mistake for the target's own: the
 * connection closes, and the reason is noted with the client whose credentials came with the
 * request. The engine reads the note when the page has failed.
 */
export interface EgressProxy {
  /** `http://127.0.0.1:port`, for `--proxy-server`. Valid after `start`. */
  readonly address: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * New credentials, one set per browser context: other local processes have no access, and noted
   * failures do not mix.
   * @param proxies upstream proxies for the client's connections; unset: direct
   */
  openClient(proxies?: UpstreamProxies): EgressClient;
}

export function createEgressProxy(options: { guard: EgressGuard; logger: Logger }): EgressProxy {
  const { guard, logger } = options;
  const clients = new Map<string, ProxyClient>();
  const incoming = new Set<Duplex>();
  /** Connections on which a response was relayed. */
  const used = new WeakSet<Duplex>();
  let port = 0;

  // Chromium forwards cookies whole; Node's default of 16 KB for all headers is too little for some
  // sites.
  const server = createServer({ maxHeaderSize: 256 * 1024, requestTimeout: 0, keepAliveTimeout: 60_000 });
  server.on('connection', (socket) => {
    incoming.add(socket);
    socket.once('close', () => incoming.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('clientError', (_error, socket) => socket.destroy());

  server.on('request', (request, response) => {
    forward(request, response).catch((error: unknown) => {
      noteUnforeseen(error);
      request.socket.destroy();
    });
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    tunnel(request, socket, head).catch((error: unknown) => {
      noteUnforeseen(error);
      socket.destroy();
    });
  });

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // One request per connection, whatever keep-alive the server announced; the browser retries on
    // a new one.
    if (used.has(request.socket)) {
      request.socket.destroy();
      return;
    }
    const client = authenticated(request);
    if (!client) {
      response.writeHead(407, { 'proxy-authenticate': CHALLENGE, 'content-length': '0' }).end();
      return;
    }
    const url = parseUrl(request.url ?? '');
    if (url?.protocol !== 'http:') {
      request.socket.destroy();
      return;
    }
    const target = { host: url.hostname, port: Number(url.port || 80) };
    const upstream = await dial(client, target);
    if (!upstream) {
      request.socket.destroy();
      return;
    }
    if (request.socket.destroyed) {
      upstream.destroy();
      return;
    }
    used.add(request.socket);
    relayAnswer(upstream, request.socket, client.meterResponse(target));
    sendRequest(request, `${url.pathname}${url.search}`, upstream);
  }

  async function tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const client = authenticated(request);
    if (!client) {
      socket.end(
        `HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: ${CHALLENGE}\r\n${CLOSE}`,
      );
      return;
    }
    const target = parseAuthority(request.url ?? '');
    const upstream = target && (await dial(client, target));
    if (!upstream) {
      socket.end(`HTTP/1.1 502 Bad Gateway\r\n${CLOSE}`);
      return;
    }
    socket.on('error', () => upstream.destroy());
    socket.on('close', () => upstream.destroy());
    upstream.on('close', () => socket.destroy());
    if (socket.destroyed) {
      upstream.destroy();
      return;
    }
    const meter = client.meterTunnel(target);
    upstream.on('data', (chunk: Buffer) => {
      if (!meter(chunk.length)) upstream.destroy();
    });
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    if (head.length > 0) upstream.write(head);
    upstream.pipe(socket);
    socket.pipe(upstream);
  }

  /** A connection to one of the guard's addresses; null with the reason noted. */
  async function dial(client: ProxyClient, target: Target): Promise<Socket | null> {
    try {
      const addresses = await guard.resolve(target.host, target.port);
      const own = addresses.find((address) => isOurselves(address, target));
      if (own) {
        guard.reportBlocked({ ...target, address: own, reason: 'own proxy' });
        throw new EgressError('egress_refused');
      }
      const socket = client.proxies
        ? await client.proxies.connect(addresses, target)
        : await dialFirst(addresses, target.port);
      if (client.closed) {
        socket.destroy();
        return null;
      }
      client.adopt(socket);
      client.forget(target);
      return socket;
    } catch (error) {
      if (!(error instanceof EgressError)) throw error;
      client.note(target, error.code);
      return null;
    }
  }

  /** However wide the allow list is, a page must not talk to its own proxy. */
  const isOurselves = (address: string, target: Target) =>
    target.port === port && /^(127\.|0\.|::1$|::$)/.test(parseAddress(address)?.toString() ?? '');

  function authenticated(request: IncomingMessage): ProxyClient | null {
    const given = /^Basic\s+(\S+)$/i.exec(request.headers['proxy-authorization'] ?? '')?.[1] ?? '';
    const [username = '', password = ''] = Buffer.from(given, 'base64').toString('latin1').split(':');
    const client = clients.get(username);
    if (!client || !timingSafeEqual(digest(password), digest(client.password))) return null;
    client.isKnown = true;
    return client;
  }

  const noteUnforeseen = (error: unknown) => logger.warn('egress_proxy_error', { error });

  return {
    get address() {
      return `http://127.0.0.1:${port}`;
    },
    async start() {
      if (port !== 0) return;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      const address = server.address();
      port = typeof address === 'object' && address ? address.port : 0;
      logger.info('egress_proxy_listening', { port });
    },
    async stop() {
      if (port === 0) return;
      port = 0;
      const closed = new Promise((resolve) => server.close(resolve));
      for (const client of [...clients.values()]) client.close();
      for (const socket of incoming) socket.destroy();
      await closed;
    },
    openClient(proxies) {
      const client: ProxyClient = new ProxyClient({
        proxies,
        onClose: () => clients.delete(client.username),
        probe: async (target) => void (await dial(client, target))?.destroy(),
        reportBlocked: guard.reportBlocked,
      });
      clients.set(client.username, client);
      return client;
    },
  };
}

/** `host:port` of a CONNECT request; IPv6 in brackets. */
function parseAuthority(text: string): Target | null {
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[^:[\]/@]+):(\d{1,5})$/i.exec(text) ?? [];
  return host ? { host, port: Number(port) } : null;
}

const CHALLENGE = 'Basic realm="egress"';
const CLOSE = 'Content-Length: 0\r\nConnection: close\r\n\r\n';

const digest = (text: string) => createHash('sha256').update(text).digest();
