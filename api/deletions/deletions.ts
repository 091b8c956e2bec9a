import { listDeletionsQuery } from '../../core/deletions/deletion-schemas.ts';
import type { Sql } from '../../db/connect.ts';
import { findDeletion, listDeletions } from '../../db/deletions/deletions.ts';
import { isAdmin } from '../http/access.ts';
import { decodeJobCursor, encodeJobCursor } from '../http/cursor.ts';
import { notFound } from '../http/problem.ts';
import { type ApiResponse, type Handler, pathParameter, sendJson } from '../http/route.ts';
import { readQuery, requireNoQuery } from '../http/validation.ts';

/** `GET /deletions`: those the caller requested, newest first; for an admin, those of all. */
export const listOwnDeletions =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor } = readQuery(request, listDeletionsQuery);
    const after = decodeJobCursor(cursor);
    const { deletions, next } = await listDeletions(sql, {
      requestedBy: requesterOf(response),
      limit,
      after,
    });
    sendJson(response, 200, { deletions, next_cursor: next && encodeJobCursor(next) });
  };

/** `GET /deletions/{id}`: how far it is, and in the end the proof. */
export const showDeletion =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const deletion = await findDeletion(sql, pathParameter(request, 'id'), requesterOf(response));
    if (!deletion) throw notFound('there is no such deletion');
    sendJson(response, 200, deletion);
  };

/** Whose deletions the caller may see; null: all. */
const requesterOf = ({ locals: { caller } }: ApiResponse): string | null =>
  isAdmin(caller) ? null : caller.userId;

export const deletionPath = (id: string): string => `/api/v1/deletions/${id}`;
