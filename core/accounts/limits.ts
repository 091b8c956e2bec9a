/**
 * What a user may use. Each is a whole number, or null for no limit; an absent one is that of the
 * user's role.
 */
export const LIMIT_NAMES = [
  'max_running_jobs',
  'max_waiting_jobs',
  'pages_per_day',
  'pages_per_month',
  'stored_bytes',
  'highest_priority',
  'requests_per_second',
] as const;

export type LimitName = (typeof LIMIT_NAMES)[number];
export type Limits = Partial<Record<LimitName, number | null>>;

/** What one API key may use of its user's. */
export const KEY_LIMIT_NAMES = ['pages_per_day', 'pages_per_month'] as const satisfies LimitName[];
export type KeyLimits = Pick<Limits, (typeof KEY_LIMIT_NAMES)[number]>;

/** A limit of which nothing is left. */
export interface LimitReached {
  limit: LimitName;
  /** Whose limit it is. */
  scope: 'user' | 'key';
  used: number;
  limitValue: number;
  /** Null if it depends on what happens: a job ends, or pages are deleted. */
  freeAt: Date | null;
}

/** In a sentence, as in the problem of a request or the error of a job. */
export function limitReachedMessage({ limit, scope, used, limitValue, freeAt }: LimitReached): string {
  const whose = scope === 'key' ? ' of this key' : '';
  const until = freeAt ? `; free again from ${freeAt.toISOString()}` : '';
  return `${limit}${whose}: ${used} of ${limitValue} used${until}`;
}
