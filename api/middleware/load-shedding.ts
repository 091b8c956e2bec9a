import { overloaded } from '../http/problem.ts';
import type { BodyCharge, Middleware } from '../http/route.ts';

/** Request bodies in memory at once; parsed and on their way to Postgres they take several times that. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Two full batches. The others' bodies still fit, whatever one user sends. */
const MAX_BYTES_PER_USER = 24 * 1024 * 1024;

/**
 * Sheds load before memory grows: counts the bytes of bodies that are really held, for the user who sent them, and refuses what is too
 * much with 503 and `Retry-After`. What a header announces costs nothing. Behind authentication: nobody else's body is read.
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
