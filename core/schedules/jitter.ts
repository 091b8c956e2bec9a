import { createHash } from 'node:crypto';

/**
 * When a due time starts: up to `jitterSeconds` later, so that schedules of one pattern do not all
 * start at once. The same for the same schedule and time, in every process.
 */
export function startTimeOf(scheduleId: string, dueAt: Date, jitterSeconds: number): Date {
  if (jitterSeconds === 0) return dueAt;
  const hash = createHash('sha256').update(`${scheduleId} ${dueAt.getTime()}`).digest();
  const share = hash.readUInt32BE(0) / 2 ** 32;
  return new Date(dueAt.getTime() + Math.floor(share * jitterSeconds * 1000));
}
