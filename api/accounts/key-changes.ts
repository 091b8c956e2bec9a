import { changeKeyRequest, rotateKeyRequest } from '../../core/accounts/user-schemas.ts';
import { changeKey, lockKey, succeedKey } from '../../db/accounts/key-changes.ts';
import type { Database } from '../../db/connect.ts';
import { createOnce } from '../http/create-once.ts';
import { conflict, forbidden } from '../http/problem.ts';
import { type Handler, pathParameter, sendJson } from '../http/route.ts';
import { readBody, requireNoQuery } from '../http/validation.ts';
import type { Auth } from '../middleware/authentication.ts';
import { exceeds, limitedExpiry, limitedIps, limitedScopes } from './key-limits.ts';
import {
  auditKey,
  noSuchKey,
  requireNoKeyLimits,
  storeNewKey,
  toResponse,
  userFor,
  whoseKeys,
} from './keys.ts';

/** `PATCH /keys/{id}`. A key may narrow itself, and widen itself or others only up to itself. */
export const editKey =
  (database: Database, auth: Auth): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const change = await readBody(request, changeKeyRequest);
    const { caller } = response.locals;
    const changed = await database.transaction(async (sql) => {
      const key = await lockKey(sql, { id: pathParameter(request, 'id'), userId: whoseKeys(response) });
      if (!key) throw noSuchKey();
      if (key.revoked_at) throw conflict('key_state_conflict', 'a revoked key cannot be changed');
      const user = await userFor(sql, response, key.user_id);
      const stored = await changeKey(sql, {
        id: key.id,
        name: change.name ?? key.name,
        scopes: change.scopes === undefined ? key.scopes : limitedScopes(change.scopes, caller, user.role),
        allowed_ips:
          change.allowed_ips === undefined ? key.allowed_ips : limitedIps(change.allowed_ips, caller, user),
        expires_at:
          change.expires_at === undefined ? key.expires_at : limitedExpiry(change.expires_at, caller),
      });
      if (!stored) throw noSuchKey();
      await auditKey(sql, response, 'key.changed', stored, { fields: Object.keys(change) });
      return stored;
    });
    auth.forget({ keyIds: [changed.id] });
    sendJson(response, 200, toResponse(changed));
  };

/**
 * `POST /keys/{id}/rotate {overlap_seconds?}`: a new key with the same limits; the old one ends
 * after the overlap, so that its users can change over.
 */
export const rotateKey = (database: Database, auth: Auth): Handler =>
  createOnce(
    database,
    rotateKeyRequest,
    async (sql, { overlap_seconds: seconds }, response) => {
      const { caller } = response.locals;
      requireNoKeyLimits(caller);
      const old = await lockKey(sql, { id: pathParameter(response.req, 'id'), userId: whoseKeys(response) });
      if (!old) throw noSuchKey();
      if (old.revoked_at || (old.expires_at && old.expires_at.getTime() <= Date.now())) {
        throw conflict('key_state_conflict', 'a key that was revoked or has expired cannot be rotated');
      }
      // Who rotates a key learns its successor: a key with less would become one with more.
      if (exceeds(old, caller, await userFor(sql, response, old.user_id))) {
        throw forbidden('the key to rotate has more scopes, a longer life or more addresses than yours');
      }
      const { key, stored } = await storeNewKey(sql, response, {
        ...{ userId: old.user_id, name: old.name, scopes: old.scopes, allowedIps: old.allowed_ips },
        expiresAt: old.expires_at?.toISOString() ?? null,
        issuedBy: old.issued_by ?? old.id,
        limits: old.limits,
      });
      const ended = await succeedKey(sql, { id: old.id, successor: stored.id, seconds });
      await auditKey(sql, response, 'key.issued', stored, { rotated_from: old.id });
      await auditKey(sql, response, 'key.rotated', ended ?? old, { rotated_to: stored.id });
      return {
        body: { ...toResponse(stored), key, rotated_from: { id: old.id, expires_at: ended?.expires_at } },
        onCommit: () => auth.forget({ keyIds: [old.id] }),
      };
    },
    { sealed: true, whenEmpty: {} },
  );
