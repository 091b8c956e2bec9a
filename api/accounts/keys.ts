import type { AuditAction } from '../../core/accounts/audit.ts';
import { issueKeyRequest, revokeKeyQuery } from '../../core/accounts/user-schemas.ts';
import { writeAudit } from '../../db/accounts/audit.ts';
import { lockKey, revokeKeys } from '../../db/accounts/key-changes.ts';
import {
  type ApiKey,
  type Caller,
  findUser,
  listKeys,
  storeKey,
  type User,
} from '../../db/accounts/users.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { isAdmin, requireScope } from '../http/access.ts';
import { createOnce } from '../http/create-once.ts';
import { forbidden, invalidRequest, notFound, refusedKey } from '../http/problem.ts';
import { type ApiResponse, type Handler, pathParameter, sendJson, sendNoContent } from '../http/route.ts';
import { readQuery, requireNoQuery } from '../http/validation.ts';
import type { Auth } from '../middleware/authentication.ts';
import { generateKey, hashKey, prefixOf } from './api-key.ts';
import { actorOf } from './audit.ts';
import { limitedExpiry, limitedIps, limitedScopes } from './key-limits.ts';

/** `POST /keys`: with `POST /keys/{id}/rotate` the only answer that contains the key itself. */
export const issueKey = (database: Database): Handler =>
  createOnce(
    database,
    issueKeyRequest,
    async (sql, body, response) => {
      const { caller } = response.locals;
      requireNoKeyLimits(caller);
      const user = await userFor(sql, response, body.user_id ?? caller.userId);
      const { key, stored } = await storeNewKey(sql, response, {
        userId: user.id,
        name: body.name,
        scopes: limitedScopes(body.scopes, caller, user.role),
        allowedIps: limitedIps(body.allowed_ips, caller, user),
        expiresAt: limitedExpiry(body.expires_at, caller),
        issuedBy: caller.keyId,
        limits: body.limits ?? {},
      });
      await auditKey(sql, response, 'key.issued', stored);
      return { body: { ...toResponse(stored), key } };
    },
    { sealed: true },
  );

/**
 * Each key is counted for itself, so others would be a way around its limits.
 *
 * @throws Problem 403
 */
export function requireNoKeyLimits({ keyLimits }: Caller): void {
  if (Object.values(keyLimits).some((limit) => limit != null)) {
    throw forbidden('a key with limits makes no keys');
  }
}

/** Makes a key and stores its hash. */
export async function storeNewKey(
  sql: Sql,
  { locals }: ApiResponse,
  key: Omit<Parameters<typeof storeKey>[1], 'prefix' | 'hash' | 'correlationId'>,
): Promise<{ key: string; stored: ApiKey }> {
  const made = generateKey();
  const stored = await storeKey(sql, {
    ...key,
    ...{ prefix: prefixOf(made), hash: hashKey(made), correlationId: locals.requestId },
  });
  if (!stored) throw refusedKey('key_revoked');
  return { key: made, stored };
}

/** The user whose key is issued or changed. @throws Problem 403 if that is another, without `admin` */
export async function userFor(sql: Sql, { locals: { caller } }: ApiResponse, userId: string): Promise<User> {
  if (userId !== caller.userId) requireScope(caller, 'admin');
  const user = await findUser(sql, userId);
  if (!user) throw invalidRequest([{ path: 'user_id', message: 'there is no such user' }]);
  return user;
}

/** Records what a key may, besides the act. */
export const auditKey = (
  sql: Sql,
  response: ApiResponse,
  action: AuditAction,
  { id, user_id, name, prefix, scopes, allowed_ips, expires_at }: ApiKey,
  more: Record<string, unknown> = {},
): Promise<void> =>
  writeAudit(sql, actorOf(response), {
    action,
    target: { kind: 'key', id, userId: user_id },
    details: { name, prefix, scopes, allowed_ips, expires_at, ...more },
  });

/** `GET /keys`: the caller's own; for an admin, those of all users. */
export const listOwnKeys =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const keys = await listKeys(sql, whoseKeys(response));
    sendJson(response, 200, {
      keys: keys.map((key) => ({
        ...toResponse(key),
        ...{ revoked_at: key.revoked_at, last_used_at: key.last_used_at },
      })),
    });
  };

/**
 * `DELETE /keys/{id}?cascade=`: with all that the key issued, and that those issued. 204, or 200
 * with their number if there were any. Idempotent.
 */
export const revoke =
  (database: Database, auth: Auth): Handler =>
  async (request, response) => {
    const { cascade } = readQuery(request, revokeKeyQuery);
    const { requestId: correlationId } = response.locals;
    const key = { id: pathParameter(request, 'id'), userId: whoseKeys(response) };
    const revoked = await database.transaction(async (sql) => {
      if (!(await lockKey(sql, key))) throw noSuchKey();
      const ended = await revokeKeys(sql, { ...key, cascade, correlationId });
      await writeAudit(
        sql,
        actorOf(response),
        ended.map(({ id, user_id, name, prefix }) => ({
          action: 'key.revoked',
          target: { kind: 'key', id, userId: user_id },
          details: { name, prefix, ...(id === key.id ? {} : { issued_through: key.id }) },
        })),
      );
      return ended;
    });
    const keyIds = revoked.map(({ id }) => id);
    auth.forget({ keyIds: [key.id, ...keyIds] });
    if (keyIds.every((id) => id === key.id)) return sendNoContent(response);
    sendJson(response, 200, { revoked: keyIds.length, key_ids: keyIds });
  };

/** The user whose keys the caller may see and change; null: all users. */
export const whoseKeys = ({ locals: { caller } }: ApiResponse): string | null =>
  isAdmin(caller) ? null : caller.userId;

export const noSuchKey = () => notFound('there is no such key');

/** `scopes` null: all of its user's; `allowed_ips` null: from anywhere. */
export const toResponse = ({
  id,
  name,
  prefix,
  user_id,
  scopes,
  allowed_ips,
  limits,
  issued_by,
  created_at,
  expires_at,
}: ApiKey) => ({
  ...{ id, name, prefix, user_id, scopes, allowed_ips, limits, issued_by, created_at, expires_at },
});
