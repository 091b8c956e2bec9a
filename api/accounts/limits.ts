import { changeLimitsRequest } from '../../core/accounts/limit-schemas.ts';
import { LIMIT_NAMES, type Limits } from '../../core/accounts/limits.ts';
import { writeAudit } from '../../db/accounts/audit.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { changeLimits, findLimits, type UserLimits } from '../../db/usage/limits.ts';
import { notFound } from '../http/problem.ts';
import { type Handler, pathParameter, sendJson } from '../http/route.ts';
import { readBody, requireNoQuery } from '../http/validation.ts';
import type { Auth } from '../middleware/authentication.ts';
import { actorOf } from './audit.ts';

/** `GET /users/{id}/limits`, admins only. */
export const showLimits =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    sendJson(response, 200, toResponse(await findLimits(sql, pathParameter(request, 'id'))));
  };

/** `PATCH /users/{id}/limits`, admins only: the limits that are named change. */
export const editLimits =
  (database: Database, auth: Pick<Auth, 'forget'>): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const asked = await readBody(request, changeLimitsRequest);
    const named = LIMIT_NAMES.filter((name) => asked[name] !== undefined);
    const toDefault = named.filter((name) => asked[name] === 'default');
    const set = Object.fromEntries(
      named.filter((name) => asked[name] !== 'default').map((name) => [name, asked[name]]),
    ) as Limits;
    const userId = pathParameter(request, 'id');
    const changed = await database.transaction(async (sql) => {
      const user = await changeLimits(sql, userId, { set, toDefault });
      if (user) {
        const target = { kind: 'user', id: userId, userId } as const;
        await writeAudit(sql, actorOf(response), { action: 'user.limits_changed', target, details: asked });
      }
      return user;
    });
    auth.forget({ userId });
    sendJson(response, 200, toResponse(changed));
  };

/** Every limit, null for none, with those of the user and of the role that led to it. */
function toResponse(found: UserLimits | null) {
  if (!found) throw notFound('there is no such user');
  const { userId, role, limits, own, ofRole } = found;
  return { user_id: userId, role, limits: allOf(limits), own, of_role: ofRole };
}

const allOf = (limits: Limits) => Object.fromEntries(LIMIT_NAMES.map((name) => [name, limits[name] ?? null]));
