import { z } from 'zod';
import type { Database, Sql } from '../../db/connect.ts';
import { acceptJobs, type Submission } from '../../db/jobs/accept.ts';
import { storeRunByHand } from '../../db/schedules/runs.ts';
import { lockSchedule } from '../../db/schedules/schedules.ts';
import { unlessUnreadable } from '../../runtime/secrets/secret-box.ts';
import { type Created, createOnce } from '../http/create-once.ts';
import { conflict } from '../http/problem.ts';
import { type ApiRequest, type ApiResponse, type Handler, pathParameter } from '../http/route.ts';
import { acceptedAnswer } from '../jobs/accepted.ts';
import { acceptOne } from '../jobs/submit.ts';
import { noSuchSchedule } from './schedules.ts';

/**
 * `POST /schedules/{id}/run`: 202 with a job that starts now, also while the schedule is paused or its
 * last job runs. The due times stay as they are.
 */
export const runNow = (database: Database): Handler =>
  createOnce(database, z.strictObject({}), run, { whenEmpty: {} });

async function run(sql: Sql, _body: object, response: ApiResponse, request: ApiRequest): Promise<Created> {
  const { userId, keyId, limits, keyLimits } = response.locals.caller;
  const locked = await lockSchedule(sql, userId, pathParameter(request, 'id'));
  if (!locked) throw noSuchSchedule();
  const spec = unlessUnreadable(locked.openJob);
  if (spec === null)
    throw conflict('schedule_unreadable', 'the secrets of its job cannot be read: give the job again');
  const accept = async (submission: Submission) => {
    const [acceptance] = await acceptJobs(sql, [submission]);
    if (!acceptance) throw new Error('accept_jobs gave no answer');
    return acceptance;
  };
  const { job } = await acceptOne(accept, {
    ...{ userId, keyId, limits, keyLimits },
    ...{ correlationId: response.locals.requestId, specs: [spec] },
  });
  await storeRunByHand(sql, { scheduleId: locked.schedule.id, jobId: job.id });
  return { status: 202, ...acceptedAnswer(job, ['pages', 'leads', 'events']) };
}
