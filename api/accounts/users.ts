import { createUserRequest } from '../../core/accounts/user-schemas.ts';
import { createUser, listUsers } from '../../db/accounts/users.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { createOnce } from '../http/create-once.ts';
import { conflict } from '../http/problem.ts';
import { type Handler, sendJson } from '../http/route.ts';
import { requireNoQuery } from '../http/validation.ts';
import { requireAdmin } from '../middleware/authentication.ts';

/** `POST /users`, admins only. */
export const addUser = (database: Database): Handler => {
  const add = createOnce(database, createUserRequest, async (sql, body, response) => {
    const { requestId: correlationId } = response.locals;
    const user = await createUser(sql, { ...body, role: 'user', correlationId });
    if (!user) throw conflict('email_taken', 'there is a user with this e-mail address');
    return { body: user };
  });
  return (request, response) => {
    requireAdmin(response);
    return add(request, response);
  };
};

/** `GET /users`, admins only. */
export const listAllUsers =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireAdmin(response);
    requireNoQuery(request);
    sendJson(response, 200, { users: await listUsers(sql) });
  };
