import { type Role, type Scope, scopesOf } from '../../core/accounts/scopes.ts';
import type { ApiKey, Caller } from '../../db/accounts/users.ts';
import { invalidRequest } from '../http/problem.ts';
import { areWithin, requireAllowedIps } from './allowed-ips.ts';

/** What a key may get from the key that issues or changes it: never more than that one has. */

/**
 * Null, all scopes of its user, only from a key that has all of its own user's.
 *
 * @param role of the new key's user
 * @throws Problem 422
 */
export function limitedScopes(
  asked: readonly Scope[] | null | undefined,
  caller: Caller,
  role: Role,
): Scope[] | null {
  const wrong = (message: string) => invalidRequest([{ path: 'scopes', message }]);
  const possible = scopesOf(role, [...caller.scopes]);
  if (asked == null) {
    if (caller.keyScopes === null) return null;
    if (possible.length === 0) throw wrong('expected a user who may do what the key of this request may');
    return possible;
  }
  const beyond = asked.find((scope) => !possible.includes(scope));
  if (beyond === undefined) return [...asked];
  const lacks = caller.scopes.has(beyond) ? `a user of the role ${role}` : 'the key of this request';
  throw wrong(`expected scopes without ${beyond}, which ${lacks} does not have`);
}

/**
 * No later than that of the key that issues it; else a key for a day could be extended forever.
 *
 * @throws Problem 422
 */
export function limitedExpiry(asked: string | null | undefined, caller: Caller): string | null {
  const wrong = (message: string) => invalidRequest([{ path: 'expires_at', message }]);
  const own = caller.expiresAt;
  if (asked == null) return own?.toISOString() ?? null;
  if (Date.parse(asked) <= Date.now()) throw wrong('expected a moment in the future');
  if (own && Date.parse(asked) > own.getTime()) {
    throw wrong(`expected a moment before the key of this request expires (${own.toISOString()})`);
  }
  return asked;
}

/**
 * The addresses of a key of this user.
 *
 * @throws Problem 422
 */
export function limitedIps(
  asked: readonly string[] | null | undefined,
  caller: Caller,
  of: KeyUser,
): readonly string[] | null {
  const within = addressesWithin(caller, of);
  if (asked == null) return within;
  requireAllowedIps(asked, within);
  return asked;
}

type KeyUser = { id: string; role: Role };

/**
 * Other users are elsewhere: what an admin issues for them need not be used from where the admin's
 * key is. Other admins are bound all the same, or a stolen key could be freed of its list.
 */
const addressesWithin = (caller: Caller, of: KeyUser): readonly string[] | null =>
  of.id !== caller.userId && of.role !== 'admin' ? null : caller.allowedIps;

/** Whether a key of this user has more than the caller's: then its secret is not for the caller. */
export function exceeds(
  key: Pick<ApiKey, 'id' | 'scopes' | 'expires_at' | 'allowed_ips'>,
  caller: Caller,
  of: KeyUser,
): boolean {
  if (key.id === caller.keyId) return false;
  const { keyScopes, expiresAt, scopes } = caller;
  const within = addressesWithin(caller, of);
  return (
    (keyScopes !== null && !key.scopes?.every((scope) => scopes.has(scope))) ||
    (expiresAt !== null && !(key.expires_at && key.expires_at <= expiresAt)) ||
    (within !== null && !(key.allowed_ips && areWithin(key.allowed_ips, within)))
  );
}
