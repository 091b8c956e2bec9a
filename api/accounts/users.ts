import type { AuditAction } from '../../core/accounts/audit.ts';
import { changeUserRequest, createUserRequest } from '../../core/accounts/user-schemas.ts';
import { writeAudit } from '../../db/accounts/audit.ts';
import { changeUser } from '../../db/accounts/user-changes.ts';
import { createUser, findUser, listUsers, type User } from '../../db/accounts/users.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { createOnce } from '../http/create-once.ts';
import { conflict, notFound } from '../http/problem.ts';
import { type Handler, pathParameter, sendJson } from '../http/route.ts';
import { readBody, requireNoQuery } from '../http/validation.ts';
import type { Auth } from '../middleware/authentication.ts';
import { actorOf } from './audit.ts';

/** `POST /users`. */
export const addUser = (database: Database): Handler =>
  createOnce(database, createUserRequest, async (sql, { role = 'member', ...body }, response) => {
    const { requestId: correlationId } = response.locals;
    const user = await createUser(sql, { ...body, role, correlationId });
    if (!user) throw emailTaken();
    await writeAudit(sql, actorOf(response), {
      action: 'user.created',
      target: targetOf(user),
      details: { email: user.email, name: user.name, role },
    });
    return { body: user };
  });

/** `GET /users`. */
export const listAllUsers =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    sendJson(response, 200, { users: await listUsers(sql) });
  };

/** `GET /users/{id}`. */
export const showUser =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const user = await findUser(sql, pathParameter(request, 'id'));
    if (!user) throw noSuchUser();
    sendJson(response, 200, user);
  };

/** `GET /account`: who the key is, and what it may. */
export const showAccount =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { userId, keyId, scopes, allowedIps, expiresAt } = response.locals.caller;
    const user = await findUser(sql, userId);
    if (!user) throw noSuchUser();
    sendJson(response, 200, {
      user,
      key: { id: keyId, scopes: [...scopes], allowed_ips: allowedIps, expires_at: expiresAt },
    });
  };

/** `PATCH /users/{id}`. */
export const editUser =
  (database: Database, auth: Auth): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const id = pathParameter(request, 'id');
    const change = await readBody(request, changeUserRequest);
    const user = await database.transaction(async (sql) => {
      const result = await changeUser(sql, id, change);
      switch (result.kind) {
        case 'changed': {
          const records = actsOf(result.before, result.user).map(({ action, details }) => ({
            ...{ action, details },
            target: targetOf(result.user),
          }));
          await writeAudit(sql, actorOf(response), records);
          return result.user;
        }
        case 'not_found':
          throw noSuchUser();
        case 'email_taken':
          throw emailTaken();
        case 'last_admin':
          throw conflict('last_admin', 'nobody would be left who is an admin: make another user one first');
        default:
          return result satisfies never;
      }
    });
    auth.forget({ userId: id });
    sendJson(response, 200, user);
  };

/** What a change was, for the audit log. */
function actsOf(before: User, user: User): { action: AuditAction; details: Record<string, unknown> }[] {
  const changed = (['email', 'name', 'role'] as const).filter((field) => before[field] !== user[field]);
  const details = Object.fromEntries(
    changed.map((field) => [field, { from: before[field], to: user[field] }]),
  );
  const acts: { action: AuditAction; details: Record<string, unknown> }[] = [];
  if (changed.length > 0) acts.push({ action: 'user.changed', details });
  if ((before.disabled_at === null) !== (user.disabled_at === null)) {
    const action = user.disabled_at === null ? 'user.enabled' : 'user.disabled';
    acts.push({ action, details: { email: user.email } });
  }
  return acts;
}

const targetOf = ({ id }: User) => ({ kind: 'user', id, userId: id }) as const;
const noSuchUser = () => notFound('there is no such user');
const emailTaken = () => conflict('email_taken', 'there is a user with this e-mail address');
