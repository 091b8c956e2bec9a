import { deleteQuery } from '../../core/deletions/deletion-schemas.ts';
import { findUser } from '../../db/accounts/users.ts';
import type { Database } from '../../db/connect.ts';
import { countUser, requestUserDeletion } from '../../db/deletions/request-user.ts';
import { actorOf } from '../accounts/audit.ts';
import { conflict, notFound } from '../http/problem.ts';
import { type Handler, pathParameter, sendJson, sendNoContent } from '../http/route.ts';
import { readQuery } from '../http/validation.ts';
import type { Auth } from '../middleware/authentication.ts';
import { deletionPath } from './deletions.ts';

/**
 * `DELETE /users/{id}`: revokes the user's keys at once and removes all that is theirs: 202 with the
 * deletion, also when it is repeated; 204 once it is done. Nobody deletes themselves, so an admin is
 * always left.
 */
export const deleteUser =
  (database: Database, auth: Pick<Auth, 'forget'>): Handler =>
  async (request, response) => {
    const { dry_run: dryRun } = readQuery(request, deleteQuery);
    const { caller } = response.locals;
    const id = pathParameter(request, 'id').toLowerCase();
    if (id === caller.userId) throw conflict('own_user', 'another admin has to delete this user');
    if (dryRun) {
      if (!(await findUser(database, id))) throw noSuchUser();
      return sendJson(response, 200, { dry_run: true, would_remove: await countUser(database, id) });
    }
    const result = await requestUserDeletion(database, { id, actor: actorOf(response) });
    switch (result.kind) {
      case 'deleting':
        auth.forget({ keyIds: result.revokedKeys });
        return sendJson(response, 202, result.deletion, {
          location: deletionPath(result.deletion.deletion_id),
        });
      case 'deleted':
        return sendNoContent(response);
      case 'not_found':
        throw noSuchUser();
      case 'installation_admin':
        throw conflict('installation_admin', 'each start makes this user again: revoke its keys instead');
      default:
        return result satisfies never;
    }
  };

const noSuchUser = () => notFound('there is no such user');
