import { createUserRequest } from '../../core/accounts/user-schemas.ts';
import { writeAudit } from '../../db/accounts/audit.ts';
import { createUser, listUsers } from '../../db/accounts/users.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { createOnce } from '../http/create-once.ts';
import { conflict } from '../http/problem.ts';
import { type Handler, sendJson } from '../http/route.ts';
import { requireNoQuery } from '../http/validation.ts';
import { actorOf } from './audit.ts';

/** `POST /users`. */
export const addUser = (database: Database): Handler =>
  createOnce(database, createUserRequest, async (sql, { role = 'member', ...body }, response) => {
    const { requestId: correlationId } = response.locals;
    const user = await createUser(sql, { ...body, role, correlationId });
    if (!user) throw conflict('email_taken', 'there is a user with this e-mail address');
    await writeAudit(sql, actorOf(response), {
      action: 'user.created',
      target: { kind: 'user', id: user.id, userId: user.id },
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
