import { issueKeyRequest } from '../../core/accounts/user-schemas.ts';
import { type ApiKey, findUser, listKeys, revokeKey, storeKey } from '../../db/accounts/users.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { createOnce } from '../http/create-once.ts';
import { forbidden, invalidRequest, notFound } from '../http/problem.ts';
import { type ApiResponse, type Handler, pathParameter, sendJson, sendNoContent } from '../http/route.ts';
import { requireNoQuery } from '../http/validation.ts';
import type { Auth } from '../middleware/authentication.ts';
import { generateKey, hashKey, prefixOf } from './api-key.ts';

/** `POST /keys`: the only answer that contains the key itself. */
export const issueKey = (database: Database): Handler =>
  createOnce(
    database,
    issueKeyRequest,
    async (sql, body, response) => {
      const { caller, requestId } = response.locals;
      const userId = body.user_id ?? caller.userId;
      if (userId !== caller.userId) await requireMayActFor(sql, response, userId);
      const expiresAt = expiryOf(body.expires_at, caller.expiresAt);
      const key = generateKey();
      const stored = await storeKey(sql, {
        userId,
        name: body.name,
        prefix: prefixOf(key),
        hash: hashKey(key),
        expiresAt,
        correlationId: requestId,
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

async function requireMayActFor(sql: Sql, response: ApiResponse, userId: string): Promise<void> {
  if (response.locals.caller.role !== 'admin') throw forbidden('only an admin makes keys for others');
  if (!(await findUser(sql, userId))) {
    throw invalidRequest([{ path: 'user_id', message: 'there is no such user' }]);
  }
}

/** `GET /keys`: the caller's own; for an admin, those of all users. */
export const listOwnKeys =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const keys = await listKeys(sql, scopeOf(response));
    sendJson(response, 200, {
      keys: keys.map((key) => ({ ...toResponse(key), revoked_at: key.revoked_at })),
    });
  };

/** `DELETE /keys/{id}`. Idempotent. */
export const revoke =
  (sql: Sql, auth: Auth): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const id = pathParameter(request, 'id');
    const { requestId: correlationId } = response.locals;
    const found = await revokeKey(sql, { id, userId: scopeOf(response), correlationId });
    if (!found) throw notFound('there is no such key');
    auth.forget(id);
    sendNoContent(response);
  };

/** The user whose keys the caller may see and revoke; null: all users. */
const scopeOf = ({ locals: { caller } }: ApiResponse): string | null =>
  caller.role === 'admin' ? null : caller.userId;

const toResponse = ({ id, user_id, name, prefix, created_at, expires_at }: ApiKey) => ({
  id,
  name,
  prefix,
  user_id,
  created_at,
  expires_at,
});
