import { createUserRequest } from '../../core/accounts/user-schemas.ts';
import { createUser, listUsers } from '../../db/accounts/users.ts';
import type { Sql } from '../../db/connect.ts';
import { conflict } from '../http/problem.ts';
import { type Handler, sendJson } from '../http/route.ts';
import { expectNoQuery, readBody } from '../http/validation.ts';
import { expectAdmin } from '../middleware/authentication.ts';

/** `POST /users`, by an admin. */
export const addUser =
  (sql: Sql): Handler =>
  async (request, response) => {
    expectAdmin(response);
    expectNoQuery(request);
    const { body } = await readBody(request, createUserRequest);
    const user = await createUser(sql, {
      ...body,
      role: 'user',
      correlationId: response.locals.requestId,
    });
    if (!user) throw conflict('email_taken', 'there is a user with this e-mail address');
    sendJson(response, 201, user);
  };

/** `GET /users`, by an admin. */
export const listAllUsers =
  (sql: Sql): Handler =>
  async (request, response) => {
    expectAdmin(response);
    expectNoQuery(request);
    sendJson(response, 200, { users: await listUsers(sql) });
  };
