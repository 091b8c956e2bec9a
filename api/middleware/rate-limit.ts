import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { createTokenBucket, type TokenBucket } from '../../core/accounts/token-bucket.ts';
import type { Sql } from '../../db/connect.ts';
import { reportRates } from '../../db/usage/request-rates.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { rateLimited } from '../http/problem.ts';
import type { Middleware } from '../http/route.ts';

export interface RateLimit {
  /** Runs after authentication, so one user's requests never count against another. */
  middleware: Middleware;
  /** Requests of a user per second at this process, of the last full second. */
  perSecondOf(userId: string): number;
  /** Resolves when it runs no query any more. */
  stop(): Promise<void>;
}

interface Counter {
  bucket: TokenBucket;
  /** The limit of the whole fleet, per second. */
  limit: number;
  admitted: number;
  perSecond: number;
  others: number;
}

const TICK_MS = 1000;
/** Users who stay below this part of their limit are not reported: their processes cannot exceed it together. */
const REPORTED_FROM = 0.05;
const MAX_USERS = 10_000;

/**
 * Requests per second and user over all API processes. Each has a token bucket per user; once per
 * second it reports the rates of its busy users to Postgres and learns those of the other
 * processes, whose part of the limit it then leaves to them. So the limit is approximate: for about
 * a second a user who begins at several processes at once has it at each. No request waits for a
 * query, and a quiet process runs none.
 *
 * @param defaultPerSecond for users without a limit of their own or of their role
 */
export function createRateLimit(options: {
  sql: Sql;
  logger: Logger;
  defaultPerSecond: number;
  tickMs?: number;
}): RateLimit {
  const { sql, logger, defaultPerSecond, tickMs = TICK_MS } = options;
  const processId = randomUUID();
  const counters = new LRUCache<string, Counter>({ max: MAX_USERS });
  let timer: NodeJS.Timeout | undefined;
  let reporting = Promise.resolve();
  let stopped = false;
  let failing = false;

  const tick = async () => {
    const busy: Counter[] = [];
    const rates: { userId: string; perSecond: number }[] = [];
    for (const [userId, counter] of counters) {
      if (counter.admitted === 0 && counter.perSecond === 0) counters.delete(userId);
      counter.perSecond = (counter.admitted * 1000) / tickMs;
      counter.admitted = 0;
      if (counter.perSecond < counter.limit * REPORTED_FROM && counter.others === 0) continue;
      rates.push({ userId, perSecond: counter.perSecond });
      busy.push(counter);
    }
    if (rates.length === 0) return;
    try {
      const fleet = new Map((await reportRates(sql, processId, rates)).map((row) => [row.userId, row]));
      for (const [index, counter] of busy.entries()) {
        const { others = 0, processes = 0 } = fleet.get(rates[index]?.userId ?? '') ?? {};
        counter.others = others;
        counter.bucket.setRate(Math.max(counter.limit / (processes + 1), counter.limit - others));
      }
      failing = false;
    } catch (error) {
      // The rates of before hold: requests need the database anyway.
      if (!failing) logger.warn('request_rates_not_reported', { error });
      failing = true;
    }
  };

  const schedule = () => {
    if (timer || stopped) return;
    timer = setTimeout(() => {
      reporting = tick().finally(() => {
        timer = undefined;
        if (counters.size > 0) schedule();
      });
    }, tickMs);
    timer.unref();
  };

  const counterOf = (userId: string, limit: number): Counter => {
    let counter = counters.get(userId);
    if (counter?.limit === limit) return counter;
    counter = { bucket: createTokenBucket(limit), limit, admitted: 0, perSecond: 0, others: 0 };
    counters.set(userId, counter);
    schedule();
    return counter;
  };

  return {
    middleware: (_request, response, next) => {
      const { userId, limits } = response.locals.caller;
      const limit = limits.requests_per_second ?? defaultPerSecond;
      const counter = counterOf(userId, limit);
      const { admitted, left, waitMs } = counter.bucket.take(performance.now());
      const { locals } = response;
      locals.rateLimitPolicy = `"requests";q=${limit};w=1`;
      locals.rateLimit = `"requests";r=${Math.floor(left)};t=1`;
      if (admitted) {
        counter.admitted += 1;
        next();
        return;
      }
      const freeAt = new Date(Date.now() + waitMs);
      const used = Math.max(Math.round(counter.perSecond + counter.others), limit);
      const reached = {
        limit: 'requests_per_second',
        scope: 'user',
        used,
        limitValue: limit,
        freeAt,
      } as const;
      next(rateLimited(reached, Math.max(1, Math.ceil(waitMs / 1000))));
    },
    perSecondOf: (userId) => counters.peek(userId)?.perSecond ?? 0,
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await reporting;
    },
  };
}
