import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Caller, KeyRefusal } from '../../db/accounts/users.ts';
import type { Sql } from '../../db/connect.ts';
import { createAddressCheck } from '../accounts/allowed-ips.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { type Problem, refusedKey, tooManyRequests, unauthorized } from '../http/problem.ts';
import type { ApiRequest, Middleware } from '../http/route.ts';
import { createKeyLookup } from './key-lookup.ts';
import type { KeyUse } from './key-use.ts';

export interface Auth {
  /**
   * The caller of a key, for connections that are not a plain request. @throws Problem 401 or 429
   */
  callerOf(key: string, address: string): Promise<Caller>;
  /** Passes a request with a valid key on, with `locals.caller` set. */
  authenticate: Middleware;
  /**
   * These keys, or all of a user, were changed or revoked by this process: it follows at once, other
   * processes within two seconds.
   */
  forget(changed: { keyIds?: readonly string[]; userId?: string }): void;
}

/** How long a key is trusted without a query: at full load one query replaces ten thousand. */
const TRUST_MS = 2000;
const DISTRUST_MS = 1000;
/**
 * Wrong keys per client address and window. Above it, keys that were never seen here are looked up
 * together: that costs little, and a good key behind the same address (a proxy, an office) is
 * answered a moment later and not refused.
 */
const MAX_FAILURES = 50;
const FAILURES_MS = 10_000;

const problemOf = (why: KeyRefusal | 'unknown'): Problem =>
  why === 'unknown' ? unauthorized('the API key is not valid') : refusedKey(why);

interface Trusted {
  caller: Caller;
  allows: (address: string) => boolean;
  until: number;
}

export function createAuth(sql: Sql, clientAddress: ClientAddress, keyUse: Pick<KeyUse, 'record'>): Auth {
  const lookup = createKeyLookup(sql);
  // Entries outlive TRUST_MS: a key that was valid is looked up at once even if its address is over
  // the limit.
  const cache = new LRUCache<string, Trusted>({ max: 10_000 });
  const refused = new LRUCache<string, KeyRefusal | 'unknown'>({ max: 10_000, ttl: DISTRUST_MS });
  const failures = new LRUCache<string, { count: number }>({ max: 10_000, ttl: FAILURES_MS });
  let changes = 0;

  const refuse = (hash: string, why: KeyRefusal | 'unknown'): Problem => {
    cache.delete(hash);
    refused.set(hash, why);
    return problemOf(why);
  };
  const countFailure = (address: string) => {
    const failed = failures.get(address);
    if (failed) failed.count += 1;
    else failures.set(address, { count: 1 });
  };
  const lookUp = async (hash: string, address: string): Promise<Trusted> => {
    const known = refused.get(hash);
    if (known) throw problemOf(known);
    const isSlowed = (failures.get(address)?.count ?? 0) >= MAX_FAILURES && !cache.has(hash);
    const changesBefore = changes;
    const found = await (isSlowed ? lookup.together(hash) : lookup.now(hash));
    if (!found) {
      const refusal = refuse(hash, 'unknown');
      if (!isSlowed) countFailure(address);
      if (!isSlowed) throw refusal;
      const left = Math.max(1, Math.ceil(failures.getRemainingTTL(address) / 1000));
      throw tooManyRequests('too many wrong API keys from this address', left);
    }
    if (found.kind === 'refused') throw refuse(hash, found.code);
    const { caller } = found;
    const expires = caller.expiresAt ? caller.expiresAt.getTime() - Date.now() : Number.POSITIVE_INFINITY;
    const trusted = {
      caller,
      allows: createAddressCheck(caller.allowedIps),
      until: performance.now() + Math.min(TRUST_MS, expires),
    };
    // It may be older than a concurrent change of a key: valid for this request, not cached.
    if (changes === changesBefore) cache.set(hash, trusted);
    return trusted;
  };
  const admit = ({ caller, allows }: Trusted, address: string): Caller => {
    if (!allows(address)) throw refusedKey('address_not_allowed');
    keyUse.record(caller.keyId);
    return caller;
  };
  const trustedNow = (hash: string): Trusted | undefined => {
    const entry = cache.get(hash);
    return entry && entry.until > performance.now() ? entry : undefined;
  };

  return {
    callerOf: async (key, address) => {
      const hash = hashOf(key);
      return admit(trustedNow(hash) ?? (await lookUp(hash, address)), address);
    },
    authenticate: (request, response, next) => {
      const address = clientAddress(request);
      response.locals.address = address;
      const key = keyOf(request);
      if (!key) throw unauthorized('expected an API key: Authorization: Bearer <key>, or X-API-Key');
      const hash = hashOf(key);
      const entry = trustedNow(hash);
      if (entry) {
        response.locals.caller = admit(entry, address);
        next();
        return;
      }
      lookUp(hash, address)
        .then((trusted) => {
          response.locals.caller = admit(trusted, address);
        })
        .then(() => next(), next);
    },
    forget: ({ keyIds = [], userId }) => {
      changes += 1;
      refused.clear();
      for (const [hash, { caller }] of cache) {
        if (keyIds.includes(caller.keyId) || caller.userId === userId) cache.delete(hash);
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
