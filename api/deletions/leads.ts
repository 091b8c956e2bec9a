import { deleteQuery } from '../../core/deletions/deletion-schemas.ts';
import { deleteLeadsRequest } from '../../core/leads/lead-schemas.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { createDeletion } from '../../db/deletions/deletions.ts';
import { findLeadsOfBusiness } from '../../db/deletions/remove-leads.ts';
import { findLastLeadId, type LeadsQuery, listKnownLeads } from '../../db/leads.ts';
import { actorOf } from '../accounts/audit.ts';
import { createOnce } from '../http/create-once.ts';
import { notFound } from '../http/problem.ts';
import { type Handler, pathParameter, sendJson } from '../http/route.ts';
import { readQuery } from '../http/validation.ts';
import { filterOf } from '../leads/leads.ts';
import { deletionPath } from './deletions.ts';

/** `DELETE /leads/{id}`: the business of this lead, from all the caller's jobs. */
export const deleteLead =
  (database: Database): Handler =>
  async (request, response) => {
    const { dry_run: dryRun } = readQuery(request, deleteQuery);
    const { userId } = response.locals.caller;
    const id = pathParameter(request, 'lead');
    const leads = await findLeadsOfBusiness(database, userId, id);
    if (leads.length === 0) throw notFound('there is no such lead');
    const counts = { leads: leads.length };
    if (dryRun) return sendJson(response, 200, { dry_run: true, would_remove: counts });
    const asked = { lead_id: id };
    const deletion = await database.transaction((sql) =>
      createDeletion(sql, {
        kind: 'leads',
        userId,
        actor: actorOf(response),
        request: asked,
        planned: counts,
      }),
    );
    sendJson(response, 202, deletion, { location: deletionPath(deletion.deletion_id) });
  };

/** `POST /leads/delete`, by the filters of `GET /leads`. */
export const deleteLeads = (database: Database): Handler =>
  createOnce(database, deleteLeadsRequest, async (sql, { dry_run: dryRun, ...search }, response) => {
    const { userId } = response.locals.caller;
    const query = filterOf(search);
    const upTo = await findLastLeadId(sql, userId);
    if (dryRun) {
      const { businesses, complete } = await countBusinesses(sql, { ...query, userId }, upTo);
      return { status: 200, body: { dry_run: true, would_remove: { businesses }, complete } };
    }
    const deletion = await createDeletion(sql, {
      ...{ kind: 'leads', userId, actor: actorOf(response), request: { query, upTo }, planned: {} },
    });
    return { status: 202, body: deletion, location: deletionPath(deletion.deletion_id) };
  });

const COUNTED_AT_ONCE = 1000;
const MOST_COUNTED = 10_000;

async function countBusinesses(
  sql: Sql,
  query: LeadsQuery,
  upTo: string,
): Promise<{ businesses: number; complete: boolean }> {
  let businesses = 0;
  for (let before: string | null = '9223372036854775807'; before !== null; ) {
    if (businesses >= MOST_COUNTED) return { businesses, complete: false };
    const part: Awaited<ReturnType<typeof listKnownLeads>> = await listKnownLeads(
      sql,
      query,
      { before, upTo },
      COUNTED_AT_ONCE,
    );
    businesses += part.leads.length;
    before = part.next;
  }
  return { businesses, complete: true };
}
