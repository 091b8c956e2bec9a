import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { openLiveSocket } from '../../support/live-socket.ts';
import { createClient } from '../../support/processes/fleet.ts';
import { type RunningProcess, startProcess } from '../../support/processes/processes.ts';
import { TEST_KEY } from '../../support/secrets.ts';
import { openSse, type SseFrame } from '../../support/sse.ts';
import { waitFor } from '../../support/wait-for.ts';

/** API processes as they run in production, killed while clients listen. */

const KEY = 'key-of-the-live-tests';
const RUNS = 4;
const JOBS_A_RUN = 150;

let database: TestDatabase;
let env: Record<string, string>;
beforeEach(async () => {
  database = await createTestDatabase();
  env = {
    DATABASE_URL: database.url,
    PORT: '0',
    BOOTSTRAP_API_KEY: KEY,
    DATA_DIR: '/nonexistent',
    ENCRYPTION_KEY: TEST_KEY,
  };
});
afterEach(() => database.drop());

const start = () => startProcess('api/main.js', env);

test('a client that reconnects to another process misses nothing and gets nothing twice, kill after kill', async () => {
  // This one stays up and takes the load; the processes with the streams are killed.
  const steady = await start();
  const client = createClient(steady.ready.url ?? '', KEY);
  const heard: SseFrame[] = [];
  let lastEventId = '';
  let victim: RunningProcess | undefined;
  let loading = true;
  const ids: string[] = [];
  const load = (async () => {
    while (loading) {
      ids.push(
        ...(await client.postBatch(Array.from({ length: 5 }, () => ({ urls: ['https://example.com/'] })))),
      );
      ids.push(await client.post({ urls: ['https://example.com/'] }));
      await client.cancel(String(ids.at(-1)));
    }
  })();

  for (let run = 0; run < RUNS; run += 1) {
    victim = await start();
    const headers: Record<string, string> = lastEventId ? { 'last-event-id': lastEventId } : {};
    const stream = await openSse(`${victim.ready.url}/api/v1/events`, { key: KEY, headers });
    await stream.until(({ length }) => length >= JOBS_A_RUN, 'some hundred events');
    await victim.kill();
    expect(await stream.closed).toBe('cut');
    heard.push(...stream.frames);
    lastEventId = stream.lastEventId();
  }
  loading = false;
  await load;
  const rest = await openSse(`${steady.ready.url}/api/v1/events`, {
    key: KEY,
    headers: { 'last-event-id': lastEventId },
  });
  const recorded = await ledger(String(heard[0]?.id));
  await waitFor(() => heard.length + rest.frames.length >= recorded.length, { what: 'the rest' });
  rest.close();

  expect([...heard, ...rest.frames].map(({ id, data }) => `${id} ${data.id}`)).toEqual(recorded);
  expect(await steady.stop()).toBe(0);
});

test('a process that is stopped ends its streams cleanly, and exits 0', async () => {
  const api = await start();
  const client = createClient(api.ready.url ?? '', KEY);
  const id = await client.post({ urls: ['https://example.com/'] });
  const ofJob = await openSse(`${api.ready.url}/api/v1/jobs/${id}/events`, { key: KEY });
  const ofUser = await openSse(`${api.ready.url}/api/v1/events`, { key: KEY });
  const socket = await openLiveSocket(`${api.ready.url}/api/v1/live`, { 'x-api-key': KEY });
  await ofJob.until(({ length }) => length === 1);
  await socket.until('ready');

  expect(await api.stop()).toBe(0);

  expect(await ofJob.closed).toBe('ended');
  expect(await ofUser.closed).toBe('ended');
  expect(await socket.closed).toBe(1001);
  expect(api.output()).not.toContain(KEY);
});

/** Place and id of every event from this place on, in order. */
async function ledger(from: string): Promise<string[]> {
  const [xid, seq] = from.split('-');
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query<{ recorded: string }>(
    `SELECT format('%s-%s %s', xid, seq, id) AS recorded FROM events
     WHERE (xid, seq) >= ($1::xid8, $2::bigint) AND user_id = (SELECT id FROM users WHERE role = 'admin')
     ORDER BY xid, seq`,
    [xid, seq],
  );
  await client.end();
  return rows.map(({ recorded }) => recorded);
}
