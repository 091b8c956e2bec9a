import type { EventCursor } from '../../db/events/events.ts';
import type { JobCursor } from '../../db/jobs/read.ts';
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

/** Transaction and number: `7421-93`. Also the `id` of Server-Sent Events. */
export const encodeEventCursor = ({ xid, seq }: EventCursor): string => `${xid}-${seq}`;

/** @param from what the client called it, such as `after` */
export function decodeEventCursor(cursor: string, from: string): EventCursor {
  const [, xid, seq] = /^(\d{1,20})-(\d{1,19})$/.exec(cursor) ?? [];
  if (xid === undefined || seq === undefined || BigInt(xid) > MAX_XID || BigInt(seq) > MAX_SEQ) {
    throw badEventCursor(from, 'expected the id of an event, as a stream gave it');
  }
  return { xid, seq };
}

const MAX_XID = 2n ** 64n - 1n;
const MAX_SEQ = 2n ** 63n - 1n;

export const badEventCursor = (from: string, message: string) => invalidRequest([{ path: from, message }]);

const badCursor = () =>
  invalidRequest([{ path: 'cursor', message: 'expected a cursor that an answer gave as next_cursor' }]);
