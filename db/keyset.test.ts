import { expect, test } from '@jest/globals';
import { decodeCursor, encodeCursor, keyset, keysetValues, pageOf } from './keyset.ts';

const ID = '0198c0de-0000-7000-8000-000000000001';

test.each([
  ['2026-01-01 00:00:00.123456+00', '1767225600123456', '2026-01-01T00:00:00.123456Z'],
  ['2026-01-01 00:00:00+00', '1767225600000000', '2026-01-01T00:00:00.000000Z'],
  // Postgres omits trailing zeros.
  ['2026-01-01 00:00:00.1+00', '1767225600100000', '2026-01-01T00:00:00.100000Z'],
  ['2026-01-01 05:30:00.000001+05:30', '1767225600000001', '2026-01-01T00:00:00.000001Z'],
  ['2025-12-31 21:00:00.5-03', '1767225600500000', '2026-01-01T00:00:00.500000Z'],
])('the place %s keeps its microseconds', (at, micros, read) => {
  const cursor = encodeCursor({ at, id: ID });
  expect(cursor).toBe(`${micros}.${ID}`);
  expect(decodeCursor(cursor)).toEqual({ at: read, id: ID });
});

test.each([
  '',
  'x',
  '1767225600123456',
  `.${ID}`,
  `12345.${ID}`,
  `-1767225600123456.${ID}`,
  `176722560012345678901.${ID}`,
  '1767225600123456.not-a-uuid',
  `1767225600123456.${ID} OR true`,
  `1767225600123456.${ID}\n`,
  `１767225600123456.${ID}`,
])('%j is no cursor', (cursor) => {
  expect(decodeCursor(cursor)).toBeNull();
});

test('the cursor of a first page precedes every row', () => {
  expect(keysetValues(null)).toEqual(['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff']);
  expect(keysetValues({ at: '2026-01-01T00:00:00.000001Z', id: ID })).toEqual([
    '2026-01-01T00:00:00.000001Z',
    ID,
  ]);
});

test('the fragments name the columns of their index', () => {
  const place = keyset('j.created_at', 'j.id');
  expect(place.behind('$3', '$4')).toBe('(j.created_at, j.id) < ($3::timestamptz, $4::uuid)');
  expect(place.order).toBe('j.created_at DESC, j.id DESC');
  expect(place.column).toBe('j.created_at::text AS cursor');
});

test('a page has a next one only if there are more rows than it holds', () => {
  const rows = ['a', 'b', 'c'].map((id) => ({ id, cursor: `at ${id}` }));
  const names = ({ id }: { id: string }) => id;
  expect(pageOf(rows, 2, names)).toEqual({ items: ['a', 'b'], next: { at: 'at b', id: 'b' } });
  expect(pageOf(rows, 3, names)).toEqual({ items: ['a', 'b', 'c'], next: null });
  expect(pageOf([], 3, names)).toEqual({ items: [], next: null });
});
