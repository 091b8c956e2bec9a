import { rateLimit } from 'express-rate-limit';
import { tooManyRequests } from '../http/problem.ts';
import type { ApiResponse, Middleware } from '../http/route.ts';

/**
 * So many requests a second and user, in this process. Behind authentication: a limit a user cannot be made to spend by
 * others.
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
