import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { statement } from '../../db/statement.ts';
import { createEnvelope } from '../../queue/envelope.ts';
import { openQueue } from '../../queue/open.ts';
import { LINK_CLICKS } from '../../queue/topology.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { silentLogger } from '../../runtime/log/logger.ts';
import { type Bench, DRIVERS, type Driver, startCeilings, startOurs, withChildren } from '../bench.ts';
import { median, now } from '../measure.ts';
import { createScratch } from '../scratch.ts';
import { purgeQueue } from '../window.ts';

const PART = 'clicks';
const LINKS = 200;
const LONGEST_MS = 120_000;

/**
 * Clicks per second from the queue into the roll-ups, by one analytics process; beside rows per
 * second of bare inserts in hundreds.
 */
export async function measureClicks(bench: Bench): Promise<void> {
  const { options, report } = bench;
  for (const driver of DRIVERS) {
    const scratch = await createScratch(bench.services);
    const inserts = await withChildren(async (keep) => {
      const ceilings = await keep(startCeilings(bench, scratch.url));
      return ceilings.call<{ perSecond: number }>('inserts', { ms: 2000, rowsEach: 100 });
    });
    await scratch.drop();
    const rounds: number[] = [];
    for (let round = 0; round < options.rounds; round += 1) rounds.push(await count(bench, driver));
    report.add({
      ...{ part: PART, name: `${driver}: clicks counted`, value: median(rounds), unit: '/s', rounds },
      ceiling: { name: 'bare inserts of jobs in hundreds', value: inserts.perSecond },
      target: { of: 'value', atLeast: 10_000 },
    });
  }
}

/**
 * Fills the queue, then starts the process; clicks per second between the first tenth and the last
 * twentieth.
 */
async function count(bench: Bench, driver: Driver): Promise<number> {
  const total = bench.options.quick ? 20_000 : 100_000;
  const scratch = await createScratch(bench.services);
  await fill(bench, driver, scratch.url, total);
  const rate = await withChildren(async (keep) => {
    await keep(startOurs(bench, { program: 'workers/analytics/main.js', driver, databaseUrl: scratch.url }));
    let begin: { at: number; stored: number } | undefined;
    for (const latest = now() + LONGEST_MS; now() < latest; await sleep(50)) {
      const [row] = await scratch.database.query<{ stored: number }>(COUNT_STORED);
      const seen = { at: now(), stored: row?.stored ?? 0 };
      if (!begin && seen.stored >= total * 0.1) begin = seen;
      else if (begin && seen.stored >= total * 0.95) {
        return ((seen.stored - begin.stored) * 1000) / (seen.at - begin.at);
      }
    }
    throw new Error('the clicks were not counted in time');
  });
  await purgeQueue(bench, driver, LINK_CLICKS);
  await scratch.drop();
  return rate;
}

const COUNT_STORED = statement(
  'bench_count_clicks',
  'SELECT coalesce(sum(human_clicks), 0)::int AS stored FROM link_daily',
);

async function fill(bench: Bench, driver: Driver, databaseUrl: string, total: number): Promise<void> {
  const rabbitmq = { url: bench.services.rabbitmqUrl, heartbeatSeconds: 15, connectionTimeoutMs: 10_000 };
  const config = { rabbitmq: driver === 'rabbitmq' ? rabbitmq : undefined, leaseMs: 15_000 };
  const queue = openQueue(config, databaseUrl, silentLogger, 'bench');
  await queue.start();
  const links = Array.from({ length: LINKS }, () => randomUUID());
  for (let sent = 0; sent < total; sent += 500) {
    await queue.publish(
      Array.from({ length: 500 }, (_, index) => ({
        exchange: 'link_events',
        routingKey: 'link.clicked',
        envelope: aClick(links[(sent + index) % LINKS] ?? ''),
      })),
    );
  }
  await queue.stop();
}

/** Half of them by new visitors. */
function aClick(link_id: string) {
  const id = uuidv7();
  const visitor = Math.floor(Math.random() * 2 ** 15)
    .toString(16)
    .padStart(16, '0');
  return createEnvelope({
    ...{ id, type: 'link.clicked', version: '1.0', source: 'bench', correlation_id: id, user_id: null },
    data: {
      ...{ link_id, code: 'bench', url: 'https://example.com/', kind: 'person', visitor, country: 'AT' },
      referrer: `site${Math.floor(Math.random() * 50)}.example.com`,
      user_agent: `Mozilla/5.0 (X11; Linux x86_64; rv:${100 + Math.floor(Math.random() * 40)}.0) Gecko/20100101 Firefox/140.0`,
    },
  });
}
