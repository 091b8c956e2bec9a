import { findUser } from '../../db/accounts/users.ts';
import type { Sql } from '../../db/connect.ts';
import { requireScope } from './access.ts';
import { invalidRequest } from './problem.ts';
import type { ApiResponse } from './route.ts';

/** Whose data a request is about. @throws Problem 403 if it may not be */
export async function subjectOf(sql: Sql, response: ApiResponse, asked: string | undefined): Promise<string> {
  const { caller } = response.locals;
  if (asked === undefined || asked === caller.userId) return caller.userId;
  requireScope(caller, 'admin');
  if (!(await findUser(sql, asked))) {
    throw invalidRequest([{ path: 'user_id', message: 'there is no such user' }]);
  }
  return asked;
}
