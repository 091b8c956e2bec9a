import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { canonicalHost, parseAddress } from '../runtime/egress-address.ts';
import type { Logger } from '../runtime/logger.ts';
import { dialFirst } from './dial.ts';
import { EgressError, type EgressGuard } from './egress-guard.ts';
import type { UpstreamProxies } from './upstream-proxy.ts';

/**
 * The forward proxy on loopback through which a browser sends every byte. Plain HTTP arrives as a request in absolute form,
 * everything else (https, wss, ws) as CONNECT. It asks the guard, dials the address it was given, and streams.
 *
 * A refusal is never an answer with a body, which a page could not tell from its target's own: the connection just ends, and why
 * is noted with the client whose credentials came with the request. `scrape` reads the note when the page has failed.
 */
export interface EgressProxy {
  /** `http://127.0.0.1:port`, for `--proxy-server`. Only after `start`. */
  readonly address: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * New credentials, one set a browser context: nobody else on this machine gets through, and notes do not mix.
   * @param proxies through which the client's bytes go on; none: straight to their target
   */
  openClient(proxies?: UpstreamProxies): EgressClient;
}

export interface EgressClient {
  readonly username: string;
  readonly password: string;
  /** Whether a request came with these credentials: then the browser has learnt them, and sends them without being asked. */
  readonly isKnown: boolean;
  /** A page may take `maxBytes` in one response, or through its tunnels to one host. Several pages may be under way at once. */
  beginPage(maxBytes: number): EgressPage;
  /** Ends the client's connections; its credentials are worth nothing any more. */
  close(): void;
}

/** What happens to a client's connections while a page is under way. Pages at the same time share their notes: a host is a host. */
export interface EgressPage {
  /** Called when a connection was cut because of its size, with a way to ask which: `failureOf`. */
  onTooLarge: (() => void) | undefined;
  /** Why the host of this URL could not be reached, if the proxy is the one to know. */
  failureOf(url: string): EgressFailure | undefined;
  /** Connects and hangs up, for the note: Chromium refuses some ports before it asks the proxy. */
  probe(url: string): Promise<void>;
  /** The browser itself would not go there: to be logged and counted like what the proxy refuses. */
  refused(url: string): void;
  end(): void;
}

export type EgressFailure = EgressError['code'] | 'page_too_large';

export function createEgressProxy(options: { guard: EgressGuard; logger: Logger }): EgressProxy {
  const { guard, logger } = options;
  const clients = new Map<string, Client>();
  const incoming = new Set<Duplex>();
  let port = 0;

  // Chromium forwards cookies whole; Node's default of 16 KB for all headers is too little for some sites.
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
    const client = authenticated(request);
    if (!client) {
      response.writeHead(407, { 'proxy-authenticate': CHALLENGE, 'content-length': '0' }).end();
      return;
    }
    const url = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : null;
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
    const onward = httpRequest({
      createConnection: () => upstream,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: withoutHopByHop(request.rawHeaders),
      setHost: false,
      // A browser forgives servers more than Node's parser does, and this is a browser's wire.
      insecureHTTPParser: true,
      maxHeaderSize: 256 * 1024,
    });
    onward.on('error', () => {
      client.note(target, 'connection_failed');
      request.socket.destroy();
    });
    onward.on('response', (answer) => {
      const meter = client.meterResponse(target, Number(answer.headers['content-length'] ?? 0));
      if (!meter) {
        request.socket.destroy();
        return;
      }
      answer.on('data', (chunk: Buffer) => {
        if (!meter(chunk.length)) request.socket.destroy();
      });
      // An answer cut short must look cut short to the browser too, and not like a whole one.
      answer.on('close', () => {
        if (!answer.complete) request.socket.destroy();
      });
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, withoutHopByHop(answer.rawHeaders));
      answer.pipe(response);
    });
    response.on('close', () => {
      onward.destroy();
      upstream.destroy();
    });
    request.pipe(onward);
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

  /** A connection to one of the addresses the guard gave, or null with the reason noted. */
  async function dial(client: Client, target: Target): Promise<Socket | null> {
    try {
      const addresses = await guard.resolve(target.host, target.port);
      const own = addresses.find((address) => isOurselves(address, target));
      if (own) {
        guard.refuse({ ...target, address: own, reason: 'own proxy' });
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

  function authenticated(request: IncomingMessage): Client | null {
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
      const client: Client = new Client({
        proxies,
        onClose: () => clients.delete(client.username),
        probe: async (target) => void (await dial(client, target))?.destroy(),
        refuse: guard.refuse,
      });
      clients.set(client.username, client);
      return client;
    },
  };
}

interface Target {
  host: string;
  port: number;
}

const keyOf = (target: Target) => `${canonicalHost(target.host)}:${target.port}`;

function targetOf(url: string): Target | null {
  if (!URL.canParse(url)) return null;
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) };
}

class Client implements EgressClient {
  readonly username = randomBytes(12).toString('hex');
  readonly password = randomBytes(24).toString('hex');
  closed = false;
  isKnown = false;
  readonly #sockets = new Set<Socket>();
  readonly #pages = new Set<ClientPage>();

  constructor(
    private readonly options: {
      proxies: UpstreamProxies | undefined;
      onClose(): void;
      probe(target: Target): Promise<void>;
      refuse: EgressGuard['refuse'];
    },
  ) {}

  get proxies(): UpstreamProxies | undefined {
    return this.options.proxies;
  }

  beginPage(maxBytes: number): EgressPage {
    const page: ClientPage = new ClientPage(maxBytes, this.options, () => this.#pages.delete(page));
    this.#pages.add(page);
    return page;
  }

  note(target: Target, failure: EgressFailure): void {
    for (const page of this.#pages) page.note(target, failure);
  }

  forget(target: Target): void {
    for (const page of this.#pages) page.forget(target);
  }

  /** Counts one response; false once it is over the limit. Null when it says beforehand that it will be. */
  meterResponse(target: Target, announced: number): ((bytes: number) => boolean) | null {
    const max = this.#maxBytes();
    const tooLarge = (bytes: number) => {
      if (bytes > max) this.note(target, 'page_too_large');
      return bytes > max;
    };
    if (tooLarge(announced)) return null;
    let received = 0;
    return (bytes) => {
      received += bytes;
      return !tooLarge(received);
    };
  }

  /** What is in a tunnel cannot be told apart, so all tunnels to a host count together, for all pages there are. */
  meterTunnel(target: Target): (bytes: number) => boolean {
    return (bytes) => {
      let allowed = false;
      for (const page of this.#pages) {
        if (page.count(target, bytes) <= this.#maxBytes() * this.#pages.size) allowed = true;
      }
      // Between two pages nothing that comes is wanted, and little does.
      if (allowed || this.#pages.size === 0) return true;
      this.note(target, 'page_too_large');
      return false;
    };
  }

  adopt(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  close(): void {
    this.closed = true;
    for (const socket of this.#sockets) socket.destroy();
    this.options.onClose();
  }

  #maxBytes(): number {
    return Math.max(0, ...[...this.#pages].map(({ maxBytes }) => maxBytes));
  }
}

class ClientPage implements EgressPage {
  onTooLarge: (() => void) | undefined;
  readonly #failures = new Map<string, EgressFailure>();
  readonly #tunnelled = new Map<string, number>();

  constructor(
    readonly maxBytes: number,
    private readonly proxy: { probe(target: Target): Promise<void>; refuse: EgressGuard['refuse'] },
    readonly end: () => void,
  ) {}

  failureOf(url: string): EgressFailure | undefined {
    const target = targetOf(url);
    return target ? this.#failures.get(keyOf(target)) : undefined;
  }

  async probe(url: string): Promise<void> {
    const target = targetOf(url);
    if (target) await this.proxy.probe(target);
  }

  refused(url: string): void {
    const { hostname, protocol } = URL.canParse(url) ? new URL(url) : { hostname: '', protocol: '' };
    this.proxy.refuse({ host: hostname, reason: `browser refuses ${protocol || 'address'}` });
  }

  note(target: Target, failure: EgressFailure): void {
    const known = this.#failures.get(keyOf(target));
    // The end of a connection cut for its size is not news.
    if (known === 'page_too_large') return;
    this.#failures.set(keyOf(target), failure);
    if (failure === 'page_too_large') this.onTooLarge?.();
  }

  forget(target: Target): void {
    if (this.#failures.get(keyOf(target)) !== 'page_too_large') this.#failures.delete(keyOf(target));
  }

  /** Bytes of this host so far. */
  count(target: Target, bytes: number): number {
    const received = (this.#tunnelled.get(keyOf(target)) ?? 0) + bytes;
    this.#tunnelled.set(keyOf(target), received);
    return received;
  }
}

/** `host:port` of a CONNECT request; IPv6 in brackets. */
function parseAuthority(text: string): Target | null {
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[^:[\]/@]+):(\d{1,5})$/i.exec(text) ?? [];
  return host ? { host, port: Number(port) } : null;
}

const CHALLENGE = 'Basic realm="egress"';
const CLOSE = 'Content-Length: 0\r\nConnection: close\r\n\r\n';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Raw headers, names and values in turn, in their own spelling and order. */
function withoutHopByHop(raw: string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!HOP_BY_HOP.has(name.toLowerCase())) kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
}

const digest = (text: string) => createHash('sha256').update(text).digest();
