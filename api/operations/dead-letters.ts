import { listDeadLettersQuery, requeueDeadLettersRequest } from '../../core/events/dead-letter-schemas.ts';
import type { Sql } from '../../db/connect.ts';
import {
  type DeadLetter,
  discardDeadLetter,
  findDeadLetter,
  listDeadLetters,
  requeueDeadLetters,
  resendDeadLetters,
} from '../../db/events/dead-letters.ts';
import { decodeJobCursor, encodeJobCursor } from '../http/cursor.ts';
import { conflict, notFound } from '../http/problem.ts';
import { type ApiRequest, type Handler, pathParameter, sendJson, sendNoContent } from '../http/route.ts';
import { readBody, readQuery, requireNoQuery } from '../http/validation.ts';

/**
 * Dead letters, for admins only: failed jobs of all users, undeliverable notifications and
 * unreadable messages.
 */

/** `GET /dead-letters`, newest first. */
export const listAllDeadLetters =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor, ...filter } = readQuery(request, listDeadLettersQuery);
    const page = { limit, after: decodeJobCursor(cursor) };
    const { deadLetters, next } = await listDeadLetters(sql, filter, page);
    sendJson(response, 200, { dead_letters: deadLetters, next_cursor: next && encodeJobCursor(next) });
  };

/** `GET /dead-letters/{id}`. */
export const showDeadLetter =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    sendJson(response, 200, await openDeadLetter(sql, request));
  };

/**
 * `POST /dead-letters/{id}/requeue`: runs the job again, with its history, or sends the
 * notification again.
 */
export const requeueOne =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { id, job_id, delivery_id } = await openDeadLetter(sql, request);
    if (delivery_id) {
      const [sent] = await resendDeadLetters(sql, { id }, 1);
      if (!sent) throw conflict('delivery_under_way', 'it is under way already');
      sendJson(response, 200, { job_id: null, delivery_id, status: 'queued' });
      return;
    }
    if (!job_id) throw conflict('not_requeueable', 'a message that cannot be read cannot be run; discard it');
    const [requeued] = await requeueDeadLetters(sql, { id }, 1);
    if (!requeued) throw conflict('job_state_conflict', 'its job is no longer failed');
    sendJson(response, 200, { job_id, status: 'queued' });
  };

/**
 * `POST /dead-letters/requeue {code?, user_id?, created_after?, created_before?, permanent?,
 * limit?}`: requeues all that match, oldest first. Permanent failures of jobs and notifications,
 * which would fail again, are included only with `permanent` or their `code`.
 */
export const requeueMany =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const body = await readBody(request, requeueDeadLettersRequest);
    const { limit, permanent = body.code !== undefined, ...filter } = body;
    const jobs = await requeueDeadLetters(sql, { ...filter, permanent }, limit);
    const deliveries = await resendDeadLetters(sql, { ...filter, permanent }, limit - jobs.length);
    sendJson(response, 200, {
      requeued: jobs.length + deliveries.length,
      job_ids: jobs,
      delivery_ids: deliveries,
    });
  };

/** `DELETE /dead-letters/{id}`: discards it; its job stays failed. */
export const discard =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    if (!(await discardDeadLetter(sql, pathParameter(request, 'id')))) throw noSuchDeadLetter();
    sendNoContent(response);
  };

async function openDeadLetter(sql: Sql, request: ApiRequest): Promise<DeadLetter> {
  const deadLetter = await findDeadLetter(sql, pathParameter(request, 'id'));
  if (!deadLetter) throw noSuchDeadLetter();
  return deadLetter;
}

const noSuchDeadLetter = () => notFound('there is no such dead letter, or it was dealt with');
