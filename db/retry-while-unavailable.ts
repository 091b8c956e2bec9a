import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../runtime/log/logger.ts';
import { isDatabaseUnavailable, isSerializationFailure } from './connect.ts';

const LONGEST_PAUSE_MS = 1000;

/**
 * Does a piece of database work again until the database answers, for work that must not be dropped because the server
 * restarts. Everything done this way is fenced, so doing it twice is harmless.
 *
 * @param signals what ends it, any of them; several, because joining them costs more than asking them
 * @returns undefined where one of `signals` fired first
 */
export async function retryWhileUnavailable<T>(
  signals: AbortSignal[],
  logger: Logger,
  work: () => Promise<T>,
): Promise<T | undefined> {
  for (
    let pauseMs = 50;
    !signals.some((signal) => signal.aborted);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  ) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseUnavailable(error) && !isSerializationFailure(error)) throw error;
      if (pauseMs === 50) logger.warn('database_unreachable', { error: (error as Error).message });
      await delay(pauseMs, undefined, { signal: AbortSignal.any(signals) }).catch(() => {});
    }
  }
  return undefined;
}
