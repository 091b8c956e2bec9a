import { listAuditQuery } from '../../core/accounts/audit.ts';
import { listAudit, type RequestActor } from '../../db/accounts/audit.ts';
import type { Sql } from '../../db/connect.ts';
import { isAdmin, requireScope } from '../http/access.ts';
import { decodeJobCursor, encodeJobCursor } from '../http/cursor.ts';
import { type ApiResponse, type Handler, sendJson } from '../http/route.ts';
import { readQuery } from '../http/validation.ts';

/** `GET /audit`, newest first: what the caller did; for an admin, what everybody did. */
export const listAuditLog =
  (sql: Sql): Handler =>
  async (request, response) => {
    const query = readQuery(request, listAuditQuery);
    const { caller } = response.locals;
    if (query.user_id !== undefined && query.user_id !== caller.userId) requireScope(caller, 'admin');
    const { entries, next } = await listAudit(
      sql,
      {
        userId: isAdmin(caller) ? query.user_id : caller.userId,
        ...{ keyId: query.key_id, target: query.target, action: query.action },
        ...{ createdAfter: query.created_after, createdBefore: query.created_before },
      },
      { limit: query.limit, after: decodeJobCursor(query.cursor) },
    );
    sendJson(response, 200, { entries, next_cursor: next && encodeJobCursor(next) });
  };

/** Who acts in this request, for the audit log. */
export const actorOf = ({ locals: { caller, address, requestId } }: ApiResponse): RequestActor => ({
  ...{ userId: caller.userId, keyId: caller.keyId, address, requestId },
});
