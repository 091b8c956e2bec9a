import { listCandidatesQuery } from '../../core/leads/lead-schemas.ts';
import type { Sql } from '../../db/connect.ts';
import { listLeadCandidates } from '../../db/lead-candidates.ts';
import { decodeLeadCursor, encodeLeadCursor } from '../http/cursor.ts';
import { type Handler, sendJson } from '../http/route.ts';
import { readQuery } from '../http/validation.ts';
import { ownJob } from '../jobs/own-job.ts';

/** `GET /jobs/{id}/candidates`: what became of each site or business that a source named. */
export const listCandidates =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor, outcome } = readQuery(request, listCandidatesQuery);
    const after = decodeLeadCursor(cursor) ?? '0';
    const { job_id: jobId } = await ownJob(sql, request, response);
    const { candidates, next } = await listLeadCandidates(sql, jobId, { after, limit, outcome });
    sendJson(response, 200, { candidates, next_cursor: next && encodeLeadCursor(next) });
  };
