import { rateLimit } from 'express-rate-limit';
import { tooManyRequests } from '../http/problem.ts';
import type { ApiResponse, Middleware } from '../http/route.ts';

/**
 * Requests per second and user, per process. Runs after authentication, so one user's requests
 * never count against another.
 */
export const createRateLimit = (perSecond: number): Middleware =>
  rateLimit({
    windowMs: 1000,
    limit: perSecond,
    keyGenerator: (_request, response) => (response as ApiResponse).locals.caller.userId,
    handler: (_request, _response, next) =>
      next(tooManyRequests(`at most ${perSecond} requests a second are served`, 1)),
    standardHeaders: false,
    legacyHeaders: false,
    validate: false,
  });
