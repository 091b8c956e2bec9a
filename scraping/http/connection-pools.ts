import type { Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { parseAddress } from '../../runtime/address-policy.ts';
import { dialFirst } from '../egress/dial.ts';
import type { EgressGuard } from '../egress/guard.ts';
import type { UpstreamProxies } from '../egress/upstream-proxy.ts';
import { exchange, SocketHangUp, type WireRequest, type WireResponse } from './exchange.ts';
import { systemCode } from './failures.ts';

/** Connections to the servers asked lately, kept and bounded; each is dialled to an address that the guard has checked. */
export interface ConnectionPools {
  request(request: WireRequest): Promise<WireResponse>;
  /** Whether the server ended the connection before it said anything: asked again, it may answer. */
  isStaleSocket(error: unknown): boolean;
  stop(): Promise<void>;
}

/** A crawl of the wide web meets many servers once. */
const POOLS_KEPT = 256;
const TLS_TIMEOUT_MS = 10_000;

export interface ConnectionPoolsOptions {
  guard: EgressGuard;
  connectionsPerOrigin: number;
  /** Undefined: servers are dialled from here. */
  proxies: UpstreamProxies | undefined;
}

export function createConnectionPools(options: ConnectionPoolsOptions): ConnectionPools {
  const dial = guardedDial(options);
  const pools = new LRUCache<string, ConnectionPool>({
    max: POOLS_KEPT,
    // What is under way is finished first.
    dispose: (origin) => origin.retire(),
  });
  const open = new Set<Socket>();
  let isStopped = false;

  return {
    request(request) {
      const known = pools.get(request.origin);
      if (known) return known.request(request);
      const origin = new ConnectionPool(options.connectionsPerOrigin, async () => {
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

/** So many connections to one server, one request at a time on each: a slow answer holds up no other. */
class ConnectionPool {
  /** Kept for the next request, each with what stops the watch over it. */
  readonly #idle = new Map<Socket, () => void>();
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #isRetired = false;

  constructor(
    connections: number,
    private readonly dial: () => Promise<Socket>,
  ) {
    this.#free = connections;
  }

  async request(request: WireRequest): Promise<WireResponse> {
    await this.#acquireSlot(request.signal);
    let socket: Socket;
    try {
      socket = this.#takeIdle() ?? (await this.dial());
    } catch (error) {
      this.#releaseSlot();
      throw error;
    }
    try {
      return await exchange(socket, request, (keepMs) => {
        if (keepMs > 0 && !this.#isRetired) this.#keep(socket, keepMs);
        else socket.destroy();
        this.#releaseSlot();
      });
    } catch (error) {
      // The others it kept are likely gone too.
      if (isStaleSocket(error)) this.#dropIdle();
      throw error;
    }
  }

  retire(): void {
    this.#isRetired = true;
    this.#dropIdle();
  }

  async #acquireSlot(signal: AbortSignal): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (signal.aborted) this.#releaseSlot();
    signal.throwIfAborted();
  }

  #releaseSlot(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }

  /** The one used last: its server is least likely to be about to hang up. */
  #takeIdle(): Socket | undefined {
    const [socket, unwatch] = [...this.#idle].at(-1) ?? [];
    unwatch?.();
    return socket;
  }

  #keep(socket: Socket, keepMs: number): void {
    // Nothing is awaited of an idle connection; whatever comes is its end.
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
 * Dials the addresses the guard gives, in their order. Neither a library nor a proxy is handed a name, so there is no second look-up
 * whose answer could differ from the one that was checked.
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

/** Whom Node trusts, for the name that was asked for and not for the address that was dialled. */
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
      // Whoever uses it hears of its errors; while nobody does, they end it and nothing else.
      tls.on('error', () => socket.destroy());
      resolve(tls);
    });
  });
}
