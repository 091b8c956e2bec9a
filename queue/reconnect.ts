/** Waits, but not past the signal. Never rejects. */
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
 * How long to wait before trying again: 1, 2, 4, 4, 4 … seconds, give or take a fifth, so that a fleet does not come back all at
 * once. Capped low, because a broker that is back should be used again within ten seconds.
 *
 * @param failures in a row, at least 1
 * @param random 0 to 1
 */
export const reconnectDelayMs = (failures: number, random: number = Math.random()): number =>
  Math.min(1000 * 2 ** (Math.max(1, failures) - 1), 4000) * (0.8 + 0.4 * random);
