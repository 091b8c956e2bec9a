import { request } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { SocksClient, SocksClientError } from 'socks';
import type { Logger } from '../../runtime/log/logger.ts';
import { dialFirst } from './dial.ts';
import { EgressError, type EgressGuard } from './guard.ts';

/**
 * Upstream proxies of the operator or the user, used after the egress guard. Both ends are checked:
 * the proxy's own address is dialled through the guard, so a proxy on a private network needs
 * `EGRESS_ALLOW`; and the target's name is resolved and checked here, so the proxy gets an address,
 * never a name. A proxy's operator can still redirect traffic, but into its own network, not into
 * this one.
 *
 * Plain HTTP uses CONNECT too, because a proxy that gets a whole URL resolves the name again.
 */
export interface UpstreamProxies {
  /**
   * A connection to the target through the first usable proxy; the last used is tried first.
   * @param addresses of the target, checked by the guard
   * @throws EgressError `proxy_failed` if none is usable, or the proxy's error about the target
   */
  connect(addresses: string[], target: { host: string; port: number }): Promise<Socket>;
}

/** Recent failures of proxies, shared by all jobs of a process. */
export interface ProxyHealth {
  /** All of these, best first. */
  inOrder(urls: string[]): string[];
  failed(url: string): void;
  worked(url: string): void;
}

const FIRST_REST_MS = 30_000;
const LONGEST_REST_MS = 10 * 60_000;
const PROXIES_KEPT = 5000;

/**
 * A failed proxy goes last for half a minute, then twice as long per failure.
 * @param now in ms, for tests
 */
export function createProxyHealth(now: () => number = Date.now): ProxyHealth {
  const resting = new LRUCache<string, { until: number; restMs: number }>({ max: PROXIES_KEPT });
  let rotation = 0;
  return {
    inOrder(urls) {
      rotation += 1;
      const rotated = urls.map((_, index) => urls[(index + rotation) % urls.length] ?? '');
      const restsUntil = (url: string) => Math.max(resting.get(url)?.until ?? 0, now());
      // Stable sort: resting proxies last, the one whose rest ends first before the others.
      return rotated.sort((a, b) => restsUntil(a) - restsUntil(b));
    },
    failed(url) {
      const before = resting.get(url);
      // Failures of concurrent connections count once.
      if (before && before.until > now()) return;
      const restMs = Math.min((before?.restMs ?? FIRST_REST_MS / 2) * 2, LONGEST_REST_MS);
      resting.set(url, { until: now() + restMs, restMs });
    },
    worked: (url) => void resting.delete(url),
  };
}

const PROXIES_TRIED = 3;

/**
 * @param urls `http:`, `https:` or `socks5:`, with credentials if needed; one is used until it
 *   fails
 */
export function createUpstreamProxies(options: {
  urls: string[];
  guard: EgressGuard;
  health: ProxyHealth;
  logger: Logger;
}): UpstreamProxies {
  const { urls, guard, health, logger } = options;
  let current: string | undefined;

  return {
    async connect(addresses, target) {
      const others = health.inOrder(urls).filter((url) => url !== current);
      const tried = (current ? [current, ...others] : others).slice(0, PROXIES_TRIED);
      for (const url of tried) {
        try {
          const socket = await throughProxy(new URL(url), guard, addresses, target);
          health.worked(url);
          current = url;
          return socket;
        } catch (error) {
          // An error about the target is final: another proxy would hardly do better.
          if (error instanceof EgressError && error.code !== 'proxy_failed') throw error;
          health.failed(url);
          if (current === url) current = undefined;
          const { host } = new URL(url);
          logger.warn('proxy_failed', { proxy: host, reason: reasonOf(error) });
        }
      }
      throw new EgressError('proxy_failed');
    },
  };
}

/** A code, never a library's message: it may quote credentials. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof EgressError ? error.cause : error;
  if (cause instanceof EgressError) return cause.code;
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? 'not_usable';
};

const ANSWER_TIMEOUT_MS = 15_000;

async function throughProxy(
  proxy: URL,
  guard: EgressGuard,
  addresses: string[],
  target: { port: number },
): Promise<Socket> {
  const address = addresses[0] ?? '';
  const socket = await dialProxy(proxy, guard);
  const timer = setTimeout(() => socket.destroy(new EgressError('proxy_failed')), ANSWER_TIMEOUT_MS);
  try {
    if (proxy.protocol === 'socks5:') return await bySocks(proxy, socket, address, target.port);
    return await byConnect(proxy, socket, address, target.port);
  } catch (error) {
    socket.destroy();
    throw error instanceof EgressError ? error : new EgressError('proxy_failed', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const DEFAULT_PORTS: Record<string, number> = { 'http:': 80, 'https:': 443, 'socks5:': 1080 };

async function dialProxy(proxy: URL, guard: EgressGuard): Promise<Socket> {
  try {
    const port = Number(proxy.port || DEFAULT_PORTS[proxy.protocol]);
    const socket = await dialFirst(await guard.resolve(proxy.hostname, port), port);
    return proxy.protocol === 'https:' ? await secured(proxy, socket) : socket;
  } catch (cause) {
    throw new EgressError('proxy_failed', { cause });
  }
}

/** TLS with Node's trusted certificates; `NODE_EXTRA_CA_CERTS` adds an operator's own. */
function secured(proxy: URL, socket: Socket): Promise<Socket> {
  const host = proxy.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error('no TLS in time')), ANSWER_TIMEOUT_MS);
    const tls = connectTls({ socket, ...(isIP(host) ? { host } : { servername: host }) });
    tls.once('secureConnect', () => {
      clearTimeout(timer);
      resolve(tls);
    });
    tls.on('error', (error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    });
  });
}

const credentialsOf = ({ username, password }: URL) => ({
  user: decodeURIComponent(username),
  password: decodeURIComponent(password),
});

function byConnect(proxy: URL, socket: Socket, address: string, port: number): Promise<Socket> {
  const authority = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const { user, password } = credentialsOf(proxy);
  const login = user && `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return new Promise((resolve, reject) => {
    const asking = request({
      method: 'CONNECT',
      path: authority,
      createConnection: () => socket as Duplex as Socket,
      headers: { host: authority, ...(login ? { 'proxy-authorization': login } : {}) },
    });
    asking.on('error', reject);
    asking.once('response', () => reject(new EgressError('proxy_failed')));
    asking.once('connect', (answer, tunnel: Socket, head: Buffer) => {
      const status = answer.statusCode ?? 0;
      if (status === 200) {
        if (head.length > 0) tunnel.unshift(head);
        tunnel.on('error', () => tunnel.destroy());
        return resolve(tunnel);
      }
      tunnel.destroy();
      // 407 and other 4xx are about the proxy; 5xx are about the target.
      reject(new EgressError(status >= 500 ? 'connection_failed' : 'proxy_failed'));
    });
    asking.end();
  });
}

async function bySocks(proxy: URL, socket: Socket, address: string, port: number): Promise<Socket> {
  const { user, password } = credentialsOf(proxy);
  try {
    await SocksClient.createConnection({
      command: 'connect',
      // Required by the library, but not dialled: the socket exists.
      proxy: { host: '127.0.0.1', port: 1080, type: 5, ...(user ? { userId: user, password } : {}) },
      destination: { host: address, port },
      existing_socket: socket,
      timeout: ANSWER_TIMEOUT_MS,
    });
    socket.on('error', () => socket.destroy());
    socket.resume();
    return socket;
  } catch (cause) {
    const said = cause instanceof SocksClientError ? cause.message : '';
    if (/ConnectionRefused/i.test(said)) throw new EgressError('connection_refused', { cause });
    if (/HostUnreachable|NetworkUnreachable|TTLExpired|Failure/i.test(said) && !/authentication/i.test(said))
      throw new EgressError('connection_failed', { cause });
    throw new EgressError('proxy_failed', { cause });
  }
}
