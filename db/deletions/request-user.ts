import type { Deletion, DeletionCounts } from '../../core/deletions/deletion.ts';
import type { RequestActor } from '../accounts/audit.ts';
import type { Database, Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { createDeletion, findDeletion } from './deletions.ts';
import { countJobsToDelete } from './request.ts';

export type UserDeletion =
  | { kind: 'deleting'; deletion: Deletion; revokedKeys: string[] }
  | { kind: 'deleted' }
  | { kind: 'not_found' }
  /** The first admin, whom each start makes again. */
  | { kind: 'installation_admin' };

/**
 * Revokes all keys of a user at once, and leaves the removal of what is theirs to the background.
 * Idempotent. The entry in the audit log is written with it, and outlives the user.
 */
export async function requestUserDeletion(
  database: Database,
  { id, actor }: { id: string; actor: RequestActor },
): Promise<UserDeletion> {
  return database.transaction(async (sql) => {
    const [user] = await sql.query<{ email: string; deletion_id: string | null }>(LOCK_USER, [id]);
    if (!user) {
      const earlier = await sql.query(FIND_DELETION_OF_USER, [id]);
      return { kind: earlier.length > 0 ? 'deleted' : 'not_found' };
    }
    if (user.deletion_id !== null) {
      const deletion = await findDeletion(sql, user.deletion_id, null);
      return deletion ? { kind: 'deleting', deletion, revokedKeys: [] } : { kind: 'not_found' };
    }
    if (user.email === INSTALLATION_ADMIN) return { kind: 'installation_admin' };
    const planned = await countUser(sql, id);
    const deletion = await createDeletion(sql, {
      ...{ kind: 'user', userId: id, actor, planned },
    });
    await sql.query(MARK_USER, [id, deletion.deletion_id]);
    const revoked = await sql.query<{ id: string }>(REVOKE_ALL_KEYS, [id]);
    return { kind: 'deleting', deletion, revokedKeys: revoked.map((key) => key.id) };
  });
}

const INSTALLATION_ADMIN = 'admin@localhost';

const LOCK_USER = statement(
  'lock_user_to_delete',
  'SELECT email, deletion_id FROM users WHERE id = $1 FOR UPDATE',
);
const FIND_DELETION_OF_USER = statement(
  'find_deletion_of_user',
  `SELECT id FROM deletions WHERE user_id = $1 AND kind = 'user' LIMIT 1`,
);
const MARK_USER = statement('mark_user_for_deletion', 'UPDATE users SET deletion_id = $2 WHERE id = $1');
const REVOKE_ALL_KEYS = statement(
  'revoke_all_keys',
  'UPDATE api_keys SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL RETURNING id',
);

/** What is a user's; null if there is no such user. */
export async function countUser(sql: Sql, id: string): Promise<DeletionCounts> {
  const [others] = await sql.query<DeletionCounts>(COUNT_USER, [id]);
  return { ...(await countJobsToDelete(sql, id, {})), ...others };
}

const COUNT_USER = statement(
  'count_user_to_delete',
  `
  SELECT (SELECT count(*)::int FROM api_keys WHERE user_id = $1) AS keys,
         (SELECT count(*)::int FROM webhooks WHERE user_id = $1) AS webhooks,
         (SELECT count(*)::int FROM subscriptions WHERE user_id = $1) AS subscriptions,
         (SELECT count(*)::int FROM links WHERE user_id = $1 AND deleted_at IS NULL) AS links,
         (SELECT count(*)::int FROM schedules WHERE user_id = $1) AS schedules
  `,
);
