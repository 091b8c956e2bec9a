import { queueQuery } from '../../core/jobs/job-queries.ts';
import type { Sql } from '../../db/connect.ts';
import { listWorkers, readQueueState } from '../../db/jobs/fleet.ts';
import { requireScope } from '../http/access.ts';
import { type Handler, sendJson } from '../http/route.ts';
import { readQuery, requireNoQuery } from '../http/validation.ts';

/** `GET /workers`: all workers and their jobs. Admins only, because the jobs are of all users. */
export const showWorkers =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    sendJson(response, 200, { workers: await listWorkers(sql) });
  };

/**
 * `GET /queue`: the caller's waiting and running jobs; for an admin with `?all=true`, those of all
 * users.
 */
export const showQueue =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { all } = readQuery(request, queueQuery);
    if (all) requireScope(response.locals.caller, 'admin');
    const { counts, oldest, workers } = await readQueueState(sql, all ? null : response.locals.caller.userId);
    const count = (status: Parameters<typeof counts.get>[0]) => counts.get(status) ?? 0;
    sendJson(response, 200, {
      scope: all ? 'all' : 'own',
      waiting: count('queued'),
      running: count('running'),
      jobs_by_state: {
        scheduled: count('scheduled'),
        queued: count('queued'),
        running: count('running'),
        retrying: count('retrying'),
      },
      oldest_waiting: oldest,
      ...workers,
    });
  };
