/**
 * Pages of lists that are ordered by a timestamp and an id. A page begins after the last row of the
 * one before and not at an offset: an index finds that place at once however deep it is, and rows
 * inserted meanwhile shift nothing.
 */

/**
 * The place of a row. `at` is the timestamp as Postgres writes it, with microseconds: otherwise
 * rows of one millisecond would hide each other.
 */
export interface KeysetCursor {
  at: string;
  id: string;
}

export interface Keyset {
  /** Column `cursor`, for `pageOf`. */
  column: string;
  /** Condition: after the place that these two parameters hold, see `keysetValues`. */
  behind(at: string, id: string): string;
  order: string;
}

export type KeysetOrder = 'newest_first' | 'oldest_first';

/** @param at a timestamp column, followed in the index by the uuid column @param id */
export function keyset(at: string, id: string, order: KeysetOrder = 'newest_first'): Keyset {
  const [comparison, direction] = order === 'newest_first' ? ['<', 'DESC'] : ['>', 'ASC'];
  return {
    column: `${at}::text AS cursor`,
    behind: (atParameter, idParameter) =>
      `(${at}, ${id}) ${comparison} (${atParameter}::timestamptz, ${idParameter}::uuid)`,
    order: `${at} ${direction}, ${id} ${direction}`,
  };
}

/** Values for the two parameters of `behind`; those of a first page precede every row. */
export function keysetValues(
  after: KeysetCursor | null,
  order: KeysetOrder = 'newest_first',
): [at: string, id: string] {
  if (after) return [after.at, after.id];
  return order === 'newest_first'
    ? ['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff']
    : ['-infinity', '00000000-0000-0000-0000-000000000000'];
}

/** Of `limit + 1` rows, those of the page, and its last place if there are more. */
export function pageOf<Row extends { id: string; cursor: string }, Item>(
  rows: Row[],
  limit: number,
  toItem: (row: Row) => Item,
): { items: Item[]; next: KeysetCursor | null } {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: rows.slice(0, limit).map(toItem),
    next: last ? { at: last.cursor, id: last.id } : null,
  };
}

/** Microseconds since 1970 and the id: `1767225600123456.0198c0de-…`. Opaque to clients. */
export function encodeCursor({ at, id }: KeysetCursor): string {
  // As Postgres writes a timestamptz: 2026-01-01 00:00:00.123456+00
  const [, date, time, fraction = '', zone] =
    /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))?([+-][\d:]+)$/.exec(at) ?? [];
  const seconds = Date.parse(`${date}T${time}${zone?.length === 3 ? `${zone}:00` : zone}`) / 1000;
  if (Number.isNaN(seconds)) throw new Error(`not a timestamp of Postgres: ${at}`);
  return `${seconds}${fraction.padEnd(6, '0')}.${id}`;
}

/** Null for text that `encodeCursor` did not write. Accepted values are valid in the database. */
export function decodeCursor(cursor: string): KeysetCursor | null {
  const [, seconds, micros, id] = CURSOR.exec(cursor) ?? [];
  if (seconds === undefined || id === undefined) return null;
  const second = new Date(Number(seconds) * 1000).toISOString();
  return { at: second.replace('.000Z', `.${micros}Z`), id };
}

const CURSOR = /^(\d{1,11})(\d{6})\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;
