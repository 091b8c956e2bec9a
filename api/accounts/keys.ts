import { type Role, type Scope, scopesOf } from '../../core/accounts/scopes.ts';
import { issueKeyRequest } from '../../core/accounts/user-schemas.ts';
import { writeAudit } from '../../db/accounts/audit.ts';
import {
  type ApiKey,
  type Caller,
  findUser,
  listKeys,
  revokeKey,
  storeKey,
} from '../../db/accounts/users.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { isAdmin, requireScope } from '../http/access.ts';
import { createOnce } from '../http/create-once.ts';
import { invalidRequest, notFound } from '../http/problem.ts';
import { type ApiResponse, type Handler, pathParameter, sendJson, sendNoContent } from '../http/route.ts';
import { requireNoQuery } from '../http/validation.ts';
import type { Auth } from '../middleware/authentication.ts';
import { generateKey, hashKey, prefixOf } from './api-key.ts';
import { actorOf } from './audit.ts';

/** `POST /keys`: the only answer that contains the key itself. */
export const issueKey = (database: Database): Handler =>
  createOnce(
    database,
    issueKeyRequest,
    async (sql, body, response) => {
      const { caller, requestId } = response.locals;
      const userId = body.user_id ?? caller.userId;
      const role = userId === caller.userId ? caller.role : await roleOf(sql, caller, userId);
      const scopes = limitOf(body.scopes, caller, role);
      const expiresAt = expiryOf(body.expires_at, caller.expiresAt);
      const key = generateKey();
      const stored = await storeKey(sql, {
        userId,
        name: body.name,
        prefix: prefixOf(key),
        hash: hashKey(key),
        scopes,
        expiresAt,
        correlationId: requestId,
      });
      await writeAudit(sql, actorOf(response), {
        action: 'key.issued',
        target: { kind: 'key', id: stored.id, userId },
        details: { name: stored.name, prefix: stored.prefix, scopes, expires_at: expiresAt },
      });
      return { body: { ...toResponse(stored), key } };
    },
    { sealed: true },
  );

/**
 * A new key expires no later than the one that issued it; else a key for a day could be extended
 * forever.
 */
function expiryOf(asked: string | undefined, own: Date | null): string | null {
  const wrong = (message: string) => invalidRequest([{ path: 'expires_at', message }]);
  if (asked === undefined) return own?.toISOString() ?? null;
  if (Date.parse(asked) <= Date.now()) throw wrong('expected a moment in the future');
  if (own && Date.parse(asked) > own.getTime()) {
    throw wrong(`expected a moment before the key of this request expires (${own.toISOString()})`);
  }
  return asked;
}

/**
 * A new key has no scope that its user or the key that issued it lacks. Null, all of its user's,
 * only from a key that has all of its own user's.
 */
function limitOf(asked: readonly Scope[] | undefined, caller: Caller, role: Role): Scope[] | null {
  const wrong = (message: string) => invalidRequest([{ path: 'scopes', message }]);
  const possible = scopesOf(role, [...caller.scopes]);
  if (asked === undefined) {
    if (caller.keyScopes === null) return null;
    if (possible.length === 0) throw wrong('expected a user who may do what the key of this request may');
    return possible;
  }
  const beyond = asked.find((scope) => !possible.includes(scope));
  if (beyond === undefined) return [...asked];
  const lacks = caller.scopes.has(beyond) ? `a user of the role ${role}` : 'the key of this request';
  throw wrong(`expected scopes without ${beyond}, which ${lacks} does not have`);
}

/** The role of another user, for whom the caller issues a key. */
async function roleOf(sql: Sql, caller: Caller, userId: string): Promise<Role> {
  requireScope(caller, 'admin');
  const user = await findUser(sql, userId);
  if (!user) throw invalidRequest([{ path: 'user_id', message: 'there is no such user' }]);
  return user.role;
}

/** `GET /keys`: the caller's own; for an admin, those of all users. */
export const listOwnKeys =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const keys = await listKeys(sql, whoseKeys(response));
    sendJson(response, 200, {
      keys: keys.map((key) => ({ ...toResponse(key), revoked_at: key.revoked_at })),
    });
  };

/** `DELETE /keys/{id}`. Idempotent. */
export const revoke =
  (database: Database, auth: Auth): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const id = pathParameter(request, 'id');
    const { requestId: correlationId } = response.locals;
    await database.transaction(async (sql) => {
      const key = await revokeKey(sql, { id, userId: whoseKeys(response), correlationId });
      if (!key) throw notFound('there is no such key');
      if (!key.now) return;
      await writeAudit(sql, actorOf(response), {
        action: 'key.revoked',
        target: { kind: 'key', id, userId: key.user_id },
        details: { name: key.name, prefix: key.prefix },
      });
    });
    auth.forget(id);
    sendNoContent(response);
  };

/** The user whose keys the caller may see and revoke; null: all users. */
const whoseKeys = ({ locals: { caller } }: ApiResponse): string | null =>
  isAdmin(caller) ? null : caller.userId;

/** `scopes` null: all of its user's. */
const toResponse = ({ id, user_id, name, prefix, scopes, created_at, expires_at }: ApiKey) => ({
  ...{ id, name, prefix, user_id, scopes, created_at, expires_at },
});
