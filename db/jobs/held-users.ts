/**
 * Whether the jobs of this user may start: those of a disabled user wait until it is enabled. A
 * subquery without a parameter: it is read once per statement, from an index of the few.
 */
export const mayStart = (userId: string): string =>
  `${userId} NOT IN (SELECT id FROM users WHERE disabled_at IS NOT NULL)`;
