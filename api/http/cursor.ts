import type { EventCursor } from '../../db/events/events.ts';
import { decodeCursor, encodeCursor, type KeysetCursor } from '../../db/keyset.ts';
import type { StoredPlace } from '../../db/pages/stored-pages.ts';
import { invalidRequest } from './problem.ts';

/** Cursors are opaque to clients but validated: a decoded one is always a valid database value. */

/** For lists with the newest first. */
export const encodeJobCursor = encodeCursor;

export function decodeJobCursor(cursor: string | undefined): KeysetCursor | null {
  if (cursor === undefined) return null;
  const decoded = decodeCursor(cursor);
  if (!decoded) throw badCursor();
  return decoded;
}

/** The position of the last page read. */
export const encodePageCursor = (position: number): string => String(position);

export function decodePageCursor(cursor: string | undefined): number {
  if (cursor === undefined) return -1;
  if (!/^\d{1,9}$/.test(cursor)) throw badCursor();
  return Number(cursor);
}

/** A place in the order in which pages were stored: microseconds since 1970 and position. */
export const encodeStoredCursor = ({ storedAt, position }: StoredPlace): string =>
  `${BigInt(storedAt).toString(36)}.${position}`;

export function decodeStoredCursor(cursor: string | undefined): StoredPlace {
  if (cursor === undefined) return { storedAt: '0', position: -1 };
  const [, time, position] = /^([0-9a-z]{1,11})\.(-1|\d{1,9})$/.exec(cursor) ?? [];
  if (time === undefined || position === undefined) throw badCursor();
  return { storedAt: String(Number.parseInt(time, 36)), position: Number(position) };
}

/** The id of the last lead read, in base 36: a decimal number would look like an offset. */
export const encodeLeadCursor = (id: string): string => BigInt(id).toString(36);

/** @returns decimal text that fits a bigint */
export function decodeLeadCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  if (!/^[0-9a-z]{1,12}$/.test(cursor)) throw badCursor();
  const id = [...cursor].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n);
  if (id > MAX_SEQ) throw badCursor();
  return String(id);
}

/** A position among the leads of all jobs, and the newest lead when the first page was read. */
export const encodeKnownLeadCursor = ({ before, upTo }: { before: string; upTo: string }): string =>
  `${encodeLeadCursor(before)}-${encodeLeadCursor(upTo)}`;

export function decodeKnownLeadCursor(cursor: string | undefined): { before: string; upTo: string } | null {
  const [before, upTo, ...more] = cursor?.split('-') ?? [];
  if (before === undefined) return null;
  const place = { before: decodeLeadCursor(before), upTo: decodeLeadCursor(upTo ?? '') };
  if (place.before === null || place.upTo === null || more.length > 0) throw badCursor();
  return { before: place.before, upTo: place.upTo };
}

/** Transaction id and sequence number: `7421-93`. Also the `id` of Server-Sent Events. */
export const encodeEventCursor = ({ xid, seq }: EventCursor): string => `${xid}-${seq}`;

/** @param from the parameter's name, such as `after` */
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
