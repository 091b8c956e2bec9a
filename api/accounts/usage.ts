import { usageQuery } from '../../core/accounts/limit-schemas.ts';
import type { LimitName } from '../../core/accounts/limits.ts';
import type { Sql } from '../../db/connect.ts';
import { listUsage, readUsage, type Usage } from '../../db/usage/usage.ts';
import { requireScope } from '../http/access.ts';
import { notFound } from '../http/problem.ts';
import { type Handler, sendJson } from '../http/route.ts';
import { readQuery } from '../http/validation.ts';
import type { RateLimit } from '../middleware/rate-limit.ts';

/**
 * `GET /usage`: what the caller has used of each limit. For admins `?user_id=` is another user, and
 * `?all_users=true` a list of all.
 */
export const showUsage =
  (sql: Sql, rateLimit: Pick<RateLimit, 'perSecondOf'>): Handler =>
  async (request, response) => {
    const query = readQuery(request, usageQuery);
    const { caller } = response.locals;
    if (query.all_users) {
      requireScope(caller, 'admin');
      const { users, next } = await listUsage(sql, query.cursor ?? null, query.limit);
      sendJson(response, 200, { users: users.map(toListed), next_cursor: next });
      return;
    }
    const userId = query.user_id ?? caller.userId;
    if (userId !== caller.userId) requireScope(caller, 'admin');
    const usage = await readUsage(sql, userId);
    if (!usage) throw notFound('there is no such user');
    const perSecond = Math.max(rateLimit.perSecondOf(userId), usage.requestsPerSecond);
    sendJson(response, 200, toResponse(usage, Math.round(perSecond)));
  };

const toListed = (user: Awaited<ReturnType<typeof listUsage>>['users'][number]) => ({
  user_id: user.userId,
  email: user.email,
  role: user.role,
  pages_today: user.pagesToday,
  pages_this_month: user.pagesThisMonth,
  stored_bytes: user.storedBytes,
  jobs: { running: user.running, waiting: user.waiting },
});

function toResponse(usage: Usage, requestsPerSecond: number) {
  const { limits, tomorrow, nextMonth } = usage;
  const quota = (name: LimitName, used: number, resetsAt: Date | null = null) => ({
    used,
    limit_value: limits[name] ?? null,
    resets_at: resetsAt,
  });
  return {
    user_id: usage.userId,
    limits: {
      max_running_jobs: quota('max_running_jobs', usage.running),
      max_waiting_jobs: quota('max_waiting_jobs', usage.waiting),
      pages_per_day: quota('pages_per_day', usage.pagesToday, tomorrow),
      pages_per_month: quota('pages_per_month', usage.pagesThisMonth, nextMonth),
      stored_bytes: quota('stored_bytes', usage.storedBytes),
      requests_per_second: quota('requests_per_second', requestsPerSecond),
    },
    highest_priority: limits.highest_priority ?? null,
    pages: { by_day: usage.byDay, by_month: usage.byMonth },
    keys: usage.keys.map(({ id, name, limits, pagesToday, pagesThisMonth }) => ({
      key_id: id,
      name,
      limits: {
        pages_per_day: { used: pagesToday, limit_value: limits.pages_per_day ?? null, resets_at: tomorrow },
        pages_per_month: {
          ...{ used: pagesThisMonth, limit_value: limits.pages_per_month ?? null, resets_at: nextMonth },
        },
      },
    })),
  };
}
