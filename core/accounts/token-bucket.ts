/** Admits a number of events per second, and as many at once after a quiet second. */
export interface TokenBucket {
  /**
   * @param now milliseconds of a clock that never goes back
   * @returns `left` after this event; `waitMs` until one is admitted again, 0 if it was
   */
  take(now: number): { admitted: boolean; left: number; waitMs: number };
  setRate(perSecond: number): void;
}

export function createTokenBucket(perSecond: number): TokenBucket {
  let rate = perSecond;
  // Less than one would admit nothing, ever.
  const capacity = () => Math.max(rate, 1);
  let tokens = capacity();
  let filledAt: number | undefined;

  return {
    take: (now) => {
      tokens = Math.min(capacity(), tokens + ((now - (filledAt ?? now)) * rate) / 1000);
      filledAt = now;
      if (tokens < 1) return { admitted: false, left: 0, waitMs: ((1 - tokens) * 1000) / rate };
      tokens -= 1;
      return { admitted: true, left: tokens, waitMs: 0 };
    },
    setRate: (perSecond) => {
      rate = perSecond;
      tokens = Math.min(tokens, capacity());
    },
  };
}
