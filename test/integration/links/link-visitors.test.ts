import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../../db/connect.ts';
import { type CountedClick, readClickStats, storeClicks } from '../../../db/links/clicks.ts';
import { openDatabase } from '../../../db/open.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const HOUR_MS = 3600_000;
const VISITORS = 40;
/** Two days that are over, and recent enough that their visitors are still stored. */
const BEGIN = Math.floor(Date.now() / (24 * HOUR_MS)) * 24 * HOUR_MS - 3 * 24 * HOUR_MS;

let scratch: TestDatabase;
let database: Database;
beforeAll(async () => {
  scratch = await createTestDatabase();
  database = await openDatabase({
    ...{ url: scratch.url, poolSize: 2, applicationName: 'test', logger: silentLogger },
  });
});
afterAll(async () => {
  await database.stop();
  await scratch.drop();
});

/** The same numbers in every run: 0 to 1. */
function createRandom(): () => number {
  let state = 20261121;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('the visitors of any hours match a count by hand, in whatever order their clicks came', async () => {
  const random = createRandom();
  const link_id = randomUUID();
  const clicks = Array.from({ length: 300 }, () => ({
    visitor: Math.floor(random() * VISITORS),
    hour: Math.floor(random() * 48),
  }));
  const counted = clicks.map(
    ({ visitor, hour }): CountedClick => ({
      ...{ id: randomUUID(), link_id, kind: 'person', referrer: null, user_agent: 'Firefox' },
      ...{ device: null, country: null },
      clicked_at: new Date(BEGIN + hour * HOUR_MS + 60_000).toISOString(),
      visitor: visitor.toString(16).padStart(16, '0'),
    }),
  );
  for (let at = 0; at < counted.length; at += 7) {
    await storeClicks(database, counted.slice(at, at + 7));
    // Like redeliveries of a queue without acknowledgement.
    if (at % 3 === 0) await storeClicks(database, counted.slice(at, at + 7));
  }

  /** By day: a visitor is not recognised on the next. */
  const byHand = (from: number, to: number) =>
    new Set(
      clicks
        .filter(({ hour }) => hour >= from && hour < to)
        .map(({ visitor, hour }) => `${visitor} ${hour < 24}`),
    ).size;
  const reported = async (from: number, to: number) => {
    const at = (hour: number) => new Date(BEGIN + hour * HOUR_MS);
    const starts = Array.from({ length: to - from }, (_, n) => at(from + n));
    const range = { from: at(from), to: at(to), interval: 'hour', tz: 'UTC', starts } as const;
    return (await readClickStats(database, link_id, range)).totals.visitors;
  };
  for (let from = 0; from < 48; from += 1) {
    for (const to of [from + 1, from + 5, 20, 24, 31, 48]) {
      if (to <= from || to > 48) continue;
      expect({ from, to, visitors: await reported(from, to) }).toEqual({
        from,
        to,
        visitors: byHand(from, to),
      });
    }
  }
});
