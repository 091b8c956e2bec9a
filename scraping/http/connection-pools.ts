import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import { buildConnector, Pool } from 'undici';
import { parseAddress } from '../../runtime/address-policy.ts';
import { EgressError, type EgressGuard } from '../egress/guard.ts';
import type { UpstreamProxies } from '../egress/upstream-proxy.ts';
import { systemCode } from './failures.ts';

/** Connections to the servers asked lately, kept and bounded; each is dialled to an address that the guard has checked. */
export interface Origins {
  request(request: WireRequest): Promise<WireResponse>;
  /** Whether the server ended the connection before it said anything: asked again, it may answer. */
  wasHungUp(error: unknown): boolean;
  stop(): Promise<void>;
}

export interface WireRequest {
  origin: string;
  path: string;
  method: string;
  headers: Record<string, string>;
  body: string | Buffer | null;
  signal: AbortSignal;
}

export interface WireResponse {
  status: number;
  headers: Record<string, string>;
  setCookies: string[];
  body: Readable;
  /** Lets go of a body that nobody reads. */
  discard(): void;
}

/** A crawl of the wide web meets many servers once. */
const ORIGINS_KEPT = 256;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
/** Sites send cookies and policies of many kilobytes; Chromium takes 256 KB. */
const MAX_HEADER_BYTES = 128 * 1024;

export interface OriginsOptions {
  guard: EgressGuard;
  connectionsPerOrigin: number;
  /** Undefined: servers are dialled from here. */
  proxies: UpstreamProxies | undefined;
}

export function createOrigins(options: OriginsOptions): Origins {
  const connect = guardedConnector(options);
  const open = new Set<Pool>();
  const pools = new LRUCache<string, Pool>({
    max: ORIGINS_KEPT,
    // What is under way is finished first.
    dispose: (pool) =>
      void pool
        .close()
        .catch(() => {})
        .finally(() => open.delete(pool)),
  });

  const poolOf = (origin: string): Pool => {
    const known = pools.get(origin);
    if (known) return known;
    const pool = new Pool(origin, {
      connect,
      connections: options.connectionsPerOrigin,
      // One request a connection at a time: a slow answer holds up no other.
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The caller's deadline covers these.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    open.add(pool);
    pools.set(origin, pool);
    return pool;
  };

  return {
    async request({ origin, path, method, headers, body, signal }) {
      const answer = await poolOf(origin).request({
        path,
        method: method as 'GET',
        headers,
        body,
        signal,
      });
      // Not ours to crash on: whoever reads it hears of it.
      answer.body.on('error', () => {});
      return {
        status: answer.statusCode,
        headers: joined(answer.headers),
        setCookies: [answer.headers['set-cookie'] ?? []].flat(),
        body: answer.body,
        discard: () => void answer.body.dump({ limit: DISCARDED_BYTES }).catch(() => {}),
      };
    },
    wasHungUp: (error) => HUNG_UP.has(systemCode(error)),
    async stop() {
      const ending = [...open].map((pool) => pool.destroy());
      pools.clear();
      await Promise.allSettled(ending);
    },
  };
}

const HUNG_UP = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** A body shorter than this is read to its end, which keeps its connection; a longer one costs the connection. */
const DISCARDED_BYTES = 64 * 1024;

/**
 * Dials the addresses the guard gives, in their order. Neither the library nor a proxy is handed a name, so there is no second
 * look-up whose answer could differ from the one that was checked.
 */
function guardedConnector({ guard, proxies }: OriginsOptions): buildConnector.connector {
  const dial = buildConnector({ timeout: CONNECT_TIMEOUT_MS });
  return (target, done) => {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    const port = Number(target.port || (target.protocol === 'https:' ? 443 : 80));
    // TLS needs the name, which is no longer what is dialled. Addresses have none.
    const named = parseAddress(host) ? {} : { servername: host.replace(/\.$/, '') };
    const dialAt = (address: string, httpSocket?: Socket) =>
      new Promise<Socket>((resolve, reject) => {
        const how = { ...target, ...named, hostname: address, port: String(port) };
        dial(httpSocket ? { ...how, httpSocket } : how, (error, socket) =>
          socket ? resolve(socket) : reject(error ?? new EgressError('connection_failed')),
        );
      });
    const connected = async (): Promise<Socket> => {
      const addresses = await guard.resolve(host, port);
      if (!proxies) return await firstOf(addresses, dialAt);
      const tunnel = await proxies.connect(addresses, { host, port });
      return target.protocol === 'https:' ? await dialAt(addresses[0] ?? host, tunnel) : tunnel;
    };
    connected().then(
      (socket) => done(null, socket),
      (error) => done(error as Error, null),
    );
  };
}

/** Of several failures the one that says most: a refusal or a bad certificate, rather than a later lack of a route. */
async function firstOf(
  addresses: readonly string[],
  dialAt: (address: string) => Promise<Socket>,
): Promise<Socket> {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await dialAt(address);
    } catch (error) {
      if (failure === undefined || !TELLING.has(systemCode(failure))) failure = error;
    }
  }
  throw failure;
}

const TELLING = new Set(['ECONNREFUSED', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID']);

function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const single: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) single[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return single;
}
