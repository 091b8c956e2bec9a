import { overloaded } from '../http/problem.ts';
import type { BodyCharge, Middleware } from '../http/route.ts';

/** Request bodies in memory at once; parsed and in statements they take several times that. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Two full batches. Leaves room for other users' bodies, whatever one user sends. */
const MAX_BYTES_PER_USER = 24 * 1024 * 1024;

/**
 * Sheds load before memory grows: counts the body bytes actually held per user and refuses more
 * with 503 and `Retry-After`. A `Content-Length` alone costs nothing. Runs after authentication, so
 * only bodies of known users are read.
 */
export function createLoadShedding(maxBytes = MAX_BYTES, maxBytesPerUser = MAX_BYTES_PER_USER): Middleware {
  let held = 0;
  const perUser = new Map<string, number>();

  return (_request, response, next) => {
    const { userId } = response.locals.caller;
    let mine = 0;
    const count = (bytes: number) => {
      mine += bytes;
      held += bytes;
      const ofUser = (perUser.get(userId) ?? 0) + bytes;
      if (ofUser > 0) perUser.set(userId, ofUser);
      else perUser.delete(userId);
    };
    const charge: BodyCharge = {
      add: (bytes) => {
        if (held + bytes > maxBytes || (perUser.get(userId) ?? 0) + bytes > maxBytesPerUser)
          throw overloaded();
        if (mine === 0) response.once('close', charge.release);
        count(bytes);
      },
      release: () => count(-mine),
    };
    response.locals.body = charge;
    next();
  };
}
