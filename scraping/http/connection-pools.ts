import type { Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { parseAddress } from '../../runtime/address-policy.ts';
import { Slots } from '../../runtime/slots.ts';
import { dialFirst } from '../egress/dial.ts';
import type { EgressGuard } from '../egress/guard.ts';
import type { UpstreamProxies } from '../egress/upstream-proxy.ts';
import { exchange, SocketHangUp, type WireRequest, type WireResponse } from './exchange.ts';
import { systemCode } from './failures.ts';

/**
 * One bounded pool of kept connections per origin; each is dialled to an address the guard has
 * checked.
 */
export interface ConnectionPools {
  request(request: WireRequest): Promise<WireResponse>;
  /** Whether the server closed the connection before it sent a byte: a retry may succeed. */
  isStaleSocket(error: unknown): boolean;
  stop(): Promise<void>;
}

/** At the same time; further requests wait. */
const CONNECTIONS_PER_ORIGIN = 8;
/** Bounded: a broad crawl contacts many origins once. */
const POOLS_KEPT = 256;
const TLS_TIMEOUT_MS = 10_000;

export interface ConnectionPoolsOptions {
  guard: EgressGuard;
  /** Undefined: servers are dialled directly. */
  proxies: UpstreamProxies | undefined;
}

export function createConnectionPools(options: ConnectionPoolsOptions): ConnectionPools {
  const dial = guardedDial(options);
  const pools = new LRUCache<string, ConnectionPool>({
    max: POOLS_KEPT,
    // Pending requests finish first.
    dispose: (origin) => origin.retire(),
  });
  const open = new Set<Socket>();
  let isStopped = false;

  return {
    request(request) {
      const known = pools.get(request.origin);
      if (known) return known.request(request);
      const origin = new ConnectionPool(async () => {
        const socket = await dial(request.origin);
        if (isStopped) socket.destroy();
        open.add(socket);
        socket.once('close', () => open.delete(socket));
        return socket;
      });
      pools.set(request.origin, origin);
      return origin.request(request);
    },
    isStaleSocket,
    async stop() {
      isStopped = true;
      pools.clear();
      for (const socket of open) socket.destroy();
    },
  };
}

const HUNG_UP = new Set(['ECONNRESET', 'EPIPE']);

const isStaleSocket = (error: unknown) => error instanceof SocketHangUp || HUNG_UP.has(systemCode(error));

/** The connections to one origin, one request at a time on each: no head-of-line blocking. */
class ConnectionPool {
  /** Idle sockets, each with a function that removes its listeners. */
  readonly #idle = new Map<Socket, () => void>();
  readonly #slots = new Slots(CONNECTIONS_PER_ORIGIN);
  #isRetired = false;

  constructor(private readonly dial: () => Promise<Socket>) {}

  async request(request: WireRequest): Promise<WireResponse> {
    await this.#slots.acquire(request.signal);
    let socket: Socket;
    try {
      socket = this.#takeIdle() ?? (await this.dial());
    } catch (error) {
      this.#slots.release();
      throw error;
    }
    try {
      return await exchange(socket, request, (keepMs) => {
        if (keepMs > 0 && !this.#isRetired) this.#keep(socket, keepMs);
        else socket.destroy();
        this.#slots.release();
      });
    } catch (error) {
      // Its other idle connections are likely closed too.
      if (isStaleSocket(error)) this.#dropIdle();
      throw error;
    }
  }

  retire(): void {
    this.#isRetired = true;
    this.#dropIdle();
  }

  /** The most recently used: the server is least likely to be about to close it. */
  #takeIdle(): Socket | undefined {
    const [socket, unwatch] = [...this.#idle].at(-1) ?? [];
    unwatch?.();
    return socket;
  }

  #keep(socket: Socket, keepMs: number): void {
    // An idle connection expects no data; any event ends it.
    const drop = () => {
      unwatch();
      socket.destroy();
    };
    const timer = setTimeout(drop, keepMs);
    const unwatch = () => {
      clearTimeout(timer);
      for (const event of ['data', 'end', 'error', 'close']) socket.off(event, drop);
      this.#idle.delete(socket);
    };
    for (const event of ['data', 'end', 'error', 'close']) socket.on(event, drop);
    this.#idle.set(socket, unwatch);
    socket.resume();
  }

  #dropIdle(): void {
    for (const [socket, unwatch] of [...this.#idle]) {
      unwatch();
      socket.destroy();
    }
  }
}

const TLS_SESSIONS_KEPT = 100;

/**
 * Dials the addresses the guard returns, in their order. Libraries and proxies get addresses, never
 * names: a second look-up could give an address that was not checked.
 */
function guardedDial({ guard, proxies }: ConnectionPoolsOptions): (origin: string) => Promise<Socket> {
  const sessions = new LRUCache<string, Buffer>({ max: TLS_SESSIONS_KEPT });
  return async (origin) => {
    const { protocol, hostname, port: named } = new URL(origin);
    const host = hostname.replace(/^\[|\]$/g, '');
    const port = Number(named || (protocol === 'https:' ? 443 : 80));
    const addresses = await guard.resolve(host, port);
    const socket = proxies
      ? await proxies.connect(addresses, { host, port })
      : await dialFirst(addresses, port);
    return protocol === 'https:' ? await secured(socket, host, sessions) : socket;
  };
}

/**
 * TLS with Node's trusted certificates, verified for the host name, not for the dialled address.
 */
function secured(socket: Socket, host: string, sessions: LRUCache<string, Buffer>): Promise<TLSSocket> {
  const name = host.replace(/\.$/, '');
  const session = sessions.get(name);
  return new Promise((resolve, reject) => {
    const tls = connectTls({
      socket,
      ...(parseAddress(host) ? { host } : { host: name, servername: name }),
      ALPNProtocols: ['http/1.1'],
      ...(session ? { session } : {}),
    });
    const timer = setTimeout(() => tls.destroy(new Error('no TLS in time')), TLS_TIMEOUT_MS);
    const fail = (error?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error ?? new Error('the connection ended before it was secure'));
    };
    tls.once('error', fail).once('close', fail);
    tls.on('session', (fresh) => sessions.set(name, fresh));
    tls.once('secureConnect', () => {
      clearTimeout(timer);
      tls.off('error', fail).off('close', fail);
      // An error while the socket is idle, without a request's listener, must not crash the
      // process.
      tls.on('error', () => socket.destroy());
      resolve(tls);
    });
  });
}
