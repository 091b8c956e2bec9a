import type { JobCursor } from '../db/jobs/read.ts';
import { invalidRequest } from './problem.ts';

/** Cursors are opaque to clients and still checked: whatever passes here is a value the database can read. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isUuid = (text: unknown): text is string => typeof text === 'string' && UUID.test(text);

/** Microseconds since 1970 and the id: `1767225600123456.0198c0de-…`. */
export function encodeJobCursor({ createdAt, id }: JobCursor): string {
  // As Postgres writes a timestamptz: 2026-01-01 00:00:00.123456+00
  const [, date, time, fraction = '', zone] =
    /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))?([+-][\d:]+)$/.exec(createdAt) ?? [];
  const seconds = Date.parse(`${date}T${time}${zone?.length === 3 ? `${zone}:00` : zone}`) / 1000;
  if (Number.isNaN(seconds)) throw new Error(`not a timestamp of Postgres: ${createdAt}`);
  return `${seconds}${fraction.padEnd(6, '0')}.${id}`;
}

export function decodeJobCursor(cursor: string | undefined): JobCursor | null {
  if (cursor === undefined) return null;
  const [, seconds, micros, id] = /^(\d{1,11})(\d{6})\.(.+)$/.exec(cursor) ?? [];
  if (seconds === undefined || !isUuid(id)) throw badCursor();
  const second = new Date(Number(seconds) * 1000).toISOString();
  return { createdAt: second.replace('.000Z', `.${micros}Z`), id };
}

/** The place of the last page seen. */
export const encodePageCursor = (position: number): string => String(position);

export function decodePageCursor(cursor: string | undefined): number {
  if (cursor === undefined) return -1;
  if (!/^\d{1,9}$/.test(cursor)) throw badCursor();
  return Number(cursor);
}

/** The id of the last lead seen, in base 36: decimal text would look like a number to count with. */
export const encodeLeadCursor = (id: string): string => BigInt(id).toString(36);

/** @returns decimal text that fits a bigint */
export function decodeLeadCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  if (!/^[0-9a-z]{1,12}$/.test(cursor)) throw badCursor();
  const id = [...cursor].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n);
  return String(id);
}

const badCursor = () =>
  invalidRequest([{ path: 'cursor', message: 'expected a cursor that an answer gave as next_cursor' }]);
