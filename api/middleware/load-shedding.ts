import { BATCH_BODY_LIMIT } from '../http/body.ts';
import { overloaded } from '../http/problem.ts';
import type { Middleware } from '../http/route.ts';

/** Of request bodies in memory at once, as they came; parsed and on their way to Postgres they take several times that. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Sheds load before memory grows: a body that would be too much on top of those under way is refused unread, with 503 and
 * `Retry-After`. Hundreds of clients that post batches at once wait in their own memory and not in ours.
 */
export function createLoadLimit(maxBodyBytes = MAX_BODY_BYTES): Middleware {
  let underWay = 0;
  return (request, response, next) => {
    const { 'content-length': announced, 'transfer-encoding': chunked } = request.headers;
    // Nobody knows how long a chunked body will be.
    const bytes = chunked === undefined ? Number(announced ?? 0) || 0 : BATCH_BODY_LIMIT;
    if (bytes === 0) return next();
    if (underWay + bytes > maxBodyBytes && underWay > 0) return next(overloaded());
    underWay += bytes;
    response.once('close', () => {
      underWay -= bytes;
    });
    next();
  };
}
