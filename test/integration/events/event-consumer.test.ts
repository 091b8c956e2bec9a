import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { DRIVERS, startFleet } from '../../support/processes/fleet.ts';
import { type RunningProcess, startProcess } from '../../support/processes/processes.ts';
import { waitFor } from '../../support/wait-for.ts';

/** The example service, as a process, on a queue of its own. */
describe.each(DRIVERS)('a consumer of events on %s', (driver) => {
  test("gets every job's events once and in order, also those of its downtime", async () => {
    const fleet = await startFleet({ driver, workers: 0 });
    try {
      const start = () => startProcess('scripts/examples/event-consumer.js', fleet.env);
      const first = await start();
      const before = await fleet.client.postBatch(jobs(20));
      await waitFor(() => heardBy(first).length >= 20, { what: 'the first events' });
      await first.kill();

      const away = await fleet.client.postBatch(jobs(20));
      await fleet.client.cancel(String(away[0]));
      const second = await start();
      await waitFor(() => heardBy(second).length >= 21, { what: 'the events of the meantime' });

      const heard = [...heardBy(first), ...heardBy(second)];
      const ids = heard.filter(({ type }) => type === 'job.created').map(({ data }) => data.job_id);
      expect(new Set(ids)).toEqual(new Set([...before, ...away]));
      // Killed before its acknowledgement, it gets the message again, with the same id.
      const once = heard.filter(({ id }, index) => heard.findIndex((other) => other.id === id) === index);
      expect(once.map(({ id }) => id)).toEqual(await ledger(String(fleet.env.DATABASE_URL)));
      expect(await second.stop()).toBe(0);
    } finally {
      await fleet.stop();
    }
  });
});

interface Heard {
  id: string;
  type: string;
  data: { job_id: string };
}

const jobs = (count: number) => Array.from({ length: count }, () => ({ urls: ['https://example.com/'] }));

const heardBy = (consumer: RunningProcess): Heard[] =>
  consumer
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{"id"'))
    .map((line) => JSON.parse(line) as Heard);

/** Ids of the job events, in the order of delivery. */
async function ledger(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM events WHERE type LIKE 'job.%' ORDER BY xid, seq`,
  );
  await client.end();
  return rows.map(({ id }) => id);
}
