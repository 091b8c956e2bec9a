import type { Role } from '../../core/accounts/scopes.ts';
import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';
import { LOCK_ADMIN, USER_COLUMNS, type User } from './users.ts';

export interface UserChange {
  email?: string | undefined;
  name?: string | undefined;
  role?: Role | undefined;
  disabled?: boolean | undefined;
}

export type ChangedUser =
  | { kind: 'changed'; before: User; user: User }
  | { kind: 'not_found' }
  | { kind: 'email_taken' }
  /** Nobody would be left to undo it. */
  | { kind: 'last_admin' };

/** Changes a user, in a transaction. */
export async function changeUser(sql: Sql, id: string, change: UserChange): Promise<ChangedUser> {
  // Two admins who demote each other at once: the second is refused.
  if (change.role !== undefined || change.disabled !== undefined) await sql.query(LOCK_ADMIN);
  const [before] = await sql.query<User>(LOCK_USER, [id]);
  if (!before) return { kind: 'not_found' };
  const email = change.email?.toLowerCase() ?? before.email;
  if (email !== before.email && (await sql.query(FIND_BY_EMAIL, [email])).length > 0)
    return { kind: 'email_taken' };
  const role = change.role ?? before.role;
  const disabled = change.disabled ?? before.disabled_at !== null;
  const wasAdmin = before.role === 'admin' && before.disabled_at === null;
  if (wasAdmin && (role !== 'admin' || disabled)) {
    const others = await sql.query(FIND_OTHER_ADMIN, [id]);
    if (others.length === 0) return { kind: 'last_admin' };
  }
  const [user] = await sql.query<User>(CHANGE_USER, [id, email, change.name ?? before.name, role, disabled]);
  return user ? { kind: 'changed', before, user } : { kind: 'email_taken' };
}

const LOCK_USER = statement('lock_user', `SELECT ${USER_COLUMNS} FROM users WHERE id = $1 FOR UPDATE`);

const FIND_BY_EMAIL = statement('find_user_by_email', 'SELECT id FROM users WHERE email = $1');

const FIND_OTHER_ADMIN = statement(
  'find_other_admin',
  `SELECT id FROM users WHERE role = 'admin' AND disabled_at IS NULL AND id <> $1 LIMIT 1`,
);

/** No row if another transaction took the e-mail address meanwhile. */
const CHANGE_USER = statement(
  'change_user',
  `
  UPDATE users SET email = $2, name = $3, role = $4,
         disabled_at = CASE WHEN $5::boolean THEN coalesce(disabled_at, now()) END
  WHERE id = $1 RETURNING ${USER_COLUMNS}
  `,
);
