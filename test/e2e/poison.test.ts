import amqp from 'amqplib';
import pg from 'pg';
import { DRIVERS, type Driver, type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type Site, startSite } from '../support/servers/site.ts';
import { waitFor } from '../support/wait-for.ts';

/**
 * Messages no worker can read: each ends in the dead letters with its reason, and the worker
 * continues.
 */

let site: Site;
beforeAll(async () => {
  site = await startSite({ pages: { '/page': '<title>A page</title><p>Some text.</p>' } });
});
afterAll(() => site.close());

const envelope = (fields: Record<string, unknown>) =>
  JSON.stringify({
    id: 'poison',
    type: 'scrape.job',
    version: '1.0',
    occurred_at: '2026-01-01T00:00:00Z',
    source: 'test',
    correlation_id: 'poison',
    user_id: null,
    data: { job_id: '01a1fb27-3b7e-7296-8229-4f9644670e58', attempt: 0 },
    ...fields,
  });

const POISON: [body: string, reason: RegExp][] = [
  ['not JSON', /not JSON/],
  ['"a string"', /^envelope/],
  [envelope({ version: '2.0', id: 'v2' }), /version 2\.0/],
  [envelope({ data: { job_id: 'x', attempt: 0 } }), /^data\.job_id/],
  [envelope({}), /there is no job 01a1fb27/],
  [envelope({ filler: 'x'.repeat(5 * 1024 * 1024) }), /message of 52\d{5} bytes/],
];

/** Bypasses our own library, which would reject these. */
async function inject(driver: Driver, { env }: Fleet, bodies: string[]): Promise<void> {
  if (driver === 'embedded') {
    const database = new pg.Client({ connectionString: env.DATABASE_URL });
    await database.connect();
    for (const [index, body] of bodies.entries()) {
      await database.query('INSERT INTO queue.messages (queue, message_id, body) VALUES ($1, $2, $3)', [
        'scrape_jobs',
        `poison-${index}`,
        body,
      ]);
    }
    await database.end();
    return;
  }
  const connection = await amqp.connect(env.RABBITMQ_URL ?? '');
  const channel = await connection.createConfirmChannel();
  for (const body of bodies) channel.sendToQueue('scrape_jobs', Buffer.from(body), { persistent: true });
  await channel.waitForConfirms();
  await connection.close();
}

describe.each(DRIVERS)('poison on %s', (driver) => {
  let fleet: Fleet;
  afterEach(() => fleet.stop());

  test('is kept with its reason, and the same worker continues', async () => {
    fleet = await startFleet({ driver, workers: 1 });
    const { client, workers } = fleet;
    const bodies = POISON.map(([body]) => body);
    await inject(driver, fleet, bodies);
    const letters = await waitFor(async () => {
      const answer = await client.request('GET', '/api/v1/dead-letters?code=unreadable_message');
      const { dead_letters } = (await answer.json()) as { dead_letters: { message: string }[] };
      return dead_letters.length === POISON.length && dead_letters;
    });
    const reasons = letters.map(({ message }) => message);
    for (const [, reason] of POISON) {
      expect(reasons.filter((message) => reason.test(message))).toHaveLength(1);
    }
    const id = await client.post({ urls: [`${site.url}/page`] });
    await client.until(id, 'completed');
    expect(workers[0]?.logged('worker_started')).toHaveLength(1);
  });
});
