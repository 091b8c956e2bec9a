import {
  eraseRequest,
  listSuppressionsQuery,
  suppressRequest,
} from '../../core/suppressions/suppression-schemas.ts';
import { type ErasureTarget, identitiesOf } from '../../core/suppressions/target.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { createDeletion } from '../../db/deletions/deletions.ts';
import {
  addSuppression,
  listSuppressions,
  removeSuppression,
  type Suppression,
} from '../../db/suppressions/suppressions.ts';
import { previewErasure } from '../../dispatch/deletions/erasure.ts';
import { actorOf } from '../accounts/audit.ts';
import { isAdmin } from '../http/access.ts';
import { createOnce } from '../http/create-once.ts';
import { decodeJobCursor, encodeJobCursor } from '../http/cursor.ts';
import { notFound } from '../http/problem.ts';
import { type ApiResponse, type Handler, pathParameter, sendJson, sendNoContent } from '../http/route.ts';
import { readQuery, requireNoQuery } from '../http/validation.ts';
import { deletionPath } from './deletions.ts';

/** A dry run looks for this long; the answer says if that was not enough. */
const PREVIEW_MS = 8000;

/**
 * `POST /leads/erase`: takes a person, an address, a number or a domain out of what is stored, and
 * keeps it from being stored again. For an admin, of all users.
 */
export const eraseFromLeads = (database: Database): Handler =>
  createOnce(
    database,
    eraseRequest,
    async (sql, { reason, pages, dry_run: _, ...target }, response) => {
      // Together: what is erased is suppressed before the search begins.
      await suppress(sql, response, target, { reason, readable: false });
      const deletion = await createDeletion(sql, {
        ...{ kind: 'erasure', userId: subjectOf(response), actor: actorOf(response) },
        ...{ request: { target, pages }, planned: {} },
      });
      return { status: 202, body: deletion, location: deletionPath(deletion.deletion_id) };
    },
    {
      preview: async ({ reason: _, pages, dry_run: dryRun, ...target }, response) => {
        if (!dryRun) return undefined;
        const end = performance.now() + PREVIEW_MS;
        const subject = { userId: subjectOf(response), request: { target, pages } };
        const { counts, complete } = await previewErasure(database, subject, () => performance.now() < end);
        return { dry_run: true, would_remove: counts, complete };
      },
    },
  );

/** `POST /suppressions`: keeps it from being stored; what is stored stays. */
export const addSuppressions = (database: Database): Handler =>
  createOnce(database, suppressRequest, async (sql, { reason, ...target }, response) => ({
    body: { suppressions: await suppress(sql, response, target, { reason, readable: true }) },
  }));

async function suppress(
  sql: Sql,
  response: ApiResponse,
  target: ErasureTarget,
  options: { reason: string | undefined; readable: boolean },
): Promise<Suppression[]> {
  const userId = subjectOf(response);
  const requestedBy = response.locals.caller.userId;
  const added: Suppression[] = [];
  for (const identity of identitiesOf(target)) {
    added.push(await addSuppression(sql, { identity, userId, requestedBy, ...options }));
  }
  return added;
}

/** `GET /suppressions`: the caller's, newest first; for an admin, all. */
export const listOwnSuppressions =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor } = readQuery(request, listSuppressionsQuery);
    const after = decodeJobCursor(cursor);
    const { suppressions, next } = await listSuppressions(sql, { userId: subjectOf(response), limit, after });
    sendJson(response, 200, { suppressions, next_cursor: next && encodeJobCursor(next) });
  };

/** `DELETE /suppressions/{id}`: it may be stored again. */
export const deleteSuppression =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const found = await removeSuppression(sql, pathParameter(request, 'id'), subjectOf(response));
    if (!found) throw notFound('there is no such suppression');
    sendNoContent(response);
  };

/** Whose data; null: those of all users. */
const subjectOf = ({ locals: { caller } }: ApiResponse): string | null =>
  isAdmin(caller) ? null : caller.userId;
