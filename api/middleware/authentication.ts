import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Caller, findCaller } from '../../db/accounts/users.ts';
import type { Sql } from '../../db/connect.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { tooManyRequests, unauthorized } from '../http/problem.ts';
import type { ApiRequest, Middleware } from '../http/route.ts';

export interface Auth {
  /**
   * The caller of a key, for connections that are not a plain request. @throws Problem 401 or 429
   */
  callerOf(key: string, address: string): Promise<Caller>;
  /** Passes a request with a valid key on, with `locals.caller` set. */
  authenticate: Middleware;
  /** Refuses a key revoked by this process at once; other processes follow within two seconds. */
  forget(keyId: string): void;
}

/** How long a key is trusted without a query: at full load one query replaces ten thousand. */
const TRUST_MS = 2000;
const DISTRUST_MS = 1000;
/** Wrong keys per client address and window; above it, keys never seen here are not looked up. */
const MAX_FAILURES = 50;
const FAILURES_MS = 10_000;

export function createAuth(sql: Sql, clientAddress: ClientAddress): Auth {
  // Entries outlive TRUST_MS: a key that was valid is looked up even if its address is over the
  // limit.
  const cache = new LRUCache<string, { caller: Caller; until: number }>({ max: 10_000 });
  const refused = new LRUCache<string, true>({ max: 10_000, ttl: DISTRUST_MS });
  const failures = new LRUCache<string, { count: number }>({ max: 10_000, ttl: FAILURES_MS });
  const pending = new Map<string, Promise<Caller | null>>();
  let revocations = 0;

  /** Concurrent requests with the same key share one query. */
  const query = (hash: string): Promise<Caller | null> => {
    let answer = pending.get(hash);
    if (!answer) {
      answer = findCaller(sql, Buffer.from(hash, 'base64')).finally(() => pending.delete(hash));
      pending.set(hash, answer);
    }
    return answer;
  };

  const lookUp = async (hash: string, address: string): Promise<Caller> => {
    if (refused.has(hash)) throw unauthorized('the API key is not valid');
    const failed = failures.get(address);
    if (failed && failed.count >= MAX_FAILURES && !cache.has(hash)) {
      const left = Math.max(1, Math.ceil(failures.getRemainingTTL(address) / 1000));
      throw tooManyRequests('too many wrong API keys from this address', left);
    }
    const revocationsBefore = revocations;
    const caller = await query(hash);
    if (!caller) {
      cache.delete(hash);
      refused.set(hash, true);
      if (failed) failed.count += 1;
      else failures.set(address, { count: 1 });
      throw unauthorized('the API key is not valid');
    }
    // The result may be older than a concurrent revocation: valid for this request, not cached.
    if (revocations !== revocationsBefore) return caller;
    const expires = caller.expiresAt ? caller.expiresAt.getTime() - Date.now() : Number.POSITIVE_INFINITY;
    cache.set(hash, { caller, until: performance.now() + Math.min(TRUST_MS, expires) });
    return caller;
  };

  return {
    callerOf: async (key, address) => {
      const hash = hashOf(key);
      const entry = cache.get(hash);
      return entry && entry.until > performance.now() ? entry.caller : lookUp(hash, address);
    },
    authenticate: (request, response, next) => {
      const address = clientAddress(request);
      response.locals.address = address;
      const key = keyOf(request);
      if (!key) {
        next(unauthorized('expected an API key: Authorization: Bearer <key>, or X-API-Key'));
        return;
      }
      const hash = hashOf(key);
      const entry = cache.get(hash);
      if (entry && entry.until > performance.now()) {
        response.locals.caller = entry.caller;
        next();
        return;
      }
      lookUp(hash, address).then((caller) => {
        response.locals.caller = caller;
        next();
      }, next);
    },
    forget: (keyId) => {
      revocations += 1;
      for (const [hash, { caller }] of cache) {
        if (caller.keyId === keyId) cache.delete(hash);
      }
    },
  };
}

const hashOf = (key: string): string => createHash('sha256').update(key).digest('base64');

export function keyOf(request: Pick<ApiRequest, 'headers'>): string | null {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  // A proxy in front may use Authorization for itself.
  return bearer ?? (typeof apiKey === 'string' && apiKey !== '' ? apiKey : null);
}
