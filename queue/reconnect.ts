/** Sleeps until the time is over or the signal fires. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

/**
 * Delay before the next attempt: 1, 2, 4, 4, 4 … seconds with 20 % jitter, so that a fleet does not
 * reconnect all at once. The cap is low because a recovered broker should be used within ten
 * seconds.
 *
 * @param failures in a row, at least 1
 * @param random 0 to 1
 */
export const reconnectDelayMs = (failures: number, random: number = Math.random()): number =>
  Math.min(1000 * 2 ** (Math.max(1, failures) - 1), 4000) * (0.8 + 0.4 * random);
