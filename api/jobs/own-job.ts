import { LRUCache } from 'lru-cache';
import type { Job } from '../../core/jobs/job.ts';
import { writeAudit } from '../../db/accounts/audit.ts';
import type { Sql } from '../../db/connect.ts';
import { findJob } from '../../db/jobs/read.ts';
import { actorOf } from '../accounts/audit.ts';
import { isAdmin } from '../http/access.ts';
import { notFound } from '../http/problem.ts';
import { type ApiRequest, type ApiResponse, pathParameter } from '../http/route.ts';

/**
 * The job of the path: the caller's, or for an admin any user's, which the audit log records.
 *
 * @throws Problem 404
 */
export async function ownJob(sql: Sql, request: ApiRequest, response: ApiResponse): Promise<Job> {
  const { caller } = response.locals;
  const job = await findJob(sql, isAdmin(caller) ? null : caller.userId, pathParameter(request, 'id'));
  if (!job) throw noSuchJob();
  if (job.user_id !== caller.userId) await recordView(sql, response, job);
  return job;
}

export const noSuchJob = () => notFound('there is no such job');

/** Once per key and job in ten minutes: who follows a job asks for it each second. */
const viewed = new LRUCache<string, true>({ max: 10_000, ttl: 10 * 60_000 });

async function recordView(sql: Sql, response: ApiResponse, job: Job): Promise<void> {
  const view = `${response.locals.caller.keyId} ${job.job_id}`;
  if (viewed.has(view)) return;
  await writeAudit(sql, actorOf(response), {
    action: 'job.viewed',
    target: { kind: 'job', id: job.job_id, userId: job.user_id },
  });
  viewed.set(view, true);
}
