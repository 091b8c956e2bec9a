import { deleteJobsRequest, deleteQuery } from '../../core/deletions/deletion-schemas.ts';
import type { Database } from '../../db/connect.ts';
import { createDeletion } from '../../db/deletions/deletions.ts';
import { countJobsToDelete, findJobToDelete, requestJobDeletion } from '../../db/deletions/request.ts';
import type { JobFilter } from '../../db/jobs/list.ts';
import { actorOf } from '../accounts/audit.ts';
import { isAdmin } from '../http/access.ts';
import { createOnce } from '../http/create-once.ts';
import { notFound } from '../http/problem.ts';
import { type Handler, pathParameter, sendJson, sendNoContent } from '../http/route.ts';
import { subjectOf } from '../http/subject.ts';
import { readQuery } from '../http/validation.ts';
import { filterOf } from '../jobs/jobs.ts';
import { deletionPath } from './deletions.ts';

/**
 * `DELETE /jobs/{id}`: 202 with the deletion, also when it is repeated; 204 once the job is gone. A
 * job that has not ended is cancelled. An admin deletes jobs of all users.
 */
export const deleteJob =
  (database: Database): Handler =>
  async (request, response) => {
    const { dry_run: dryRun } = readQuery(request, deleteQuery);
    const { caller } = response.locals;
    const id = pathParameter(request, 'id');
    const userId = isAdmin(caller) ? null : caller.userId;
    if (dryRun) {
      const found = await findJobToDelete(database, id, userId);
      if (!found) throw noSuchJob();
      return sendJson(response, 200, { dry_run: true, would_remove: found });
    }
    const result = await requestJobDeletion(database, { id, userId, actor: actorOf(response) });
    switch (result.kind) {
      case 'deleting':
        return sendJson(response, 202, result.deletion, {
          location: deletionPath(result.deletion.deletion_id),
        });
      case 'deleted':
        return sendNoContent(response);
      case 'not_found':
        throw noSuchJob();
      default:
        return result satisfies never;
    }
  };

const noSuchJob = () => notFound('there is no such job');

/** `POST /jobs/delete {status?, created_after?, created_before?, metadata?, user_id?, dry_run?}`. */
export const deleteJobs = (database: Database): Handler =>
  createOnce(database, deleteJobsRequest, async (sql, body, response) => {
    const userId = await subjectOf(sql, response, body.user_id);
    const filter: JobFilter = {
      ...filterOf(body),
      // Jobs that are accepted while it runs are not included.
      createdBefore: body.created_before ?? new Date().toISOString(),
    };
    const counts = await countJobsToDelete(sql, userId, filter);
    if (body.dry_run) return { status: 200, body: { dry_run: true, would_remove: counts } };
    const deletion = await createDeletion(sql, {
      ...{ kind: 'jobs', userId, actor: actorOf(response) },
      ...{ request: { filter }, planned: counts },
    });
    return { status: 202, body: deletion, location: deletionPath(deletion.deletion_id) };
  });
