import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../runtime/log/logger.ts';
import { isDatabaseUnavailable, isSerializationFailure } from './connect.ts';

const LONGEST_PAUSE_MS = 1000;

/**
 * Retries database work while the server is unavailable, for work that must not be dropped when the
 * server restarts. All such work is fenced, so a repeat is harmless.
 *
 * @param signals any of them ends the retries; several, because joining them costs more than
 * checking each
 * @returns undefined if one of `signals` fired first
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
