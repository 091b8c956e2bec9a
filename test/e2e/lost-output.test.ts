import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cable } from '../integration/api/api-cable.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { OUTPUTS } from '../support/outputs.ts';
import { type Client, createClient } from '../support/processes/fleet.ts';
import { type RunningProcess, startProcess } from '../support/processes/processes.ts';
import { type Site, startSite } from '../support/servers/site.ts';
import { waitFor } from '../support/wait-for.ts';

/**
 * The output of our processes is not read, or cannot be written. They keep working, and end when
 * stopped.
 */

const KEY = 'test-key-0123456789abcdef';
const ENTRIES = [
  'dispatch/main.js',
  'workers/scraper/main.js',
  'workers/notifier/main.js',
  'workers/analytics/main.js',
];

let site: Site;
beforeAll(async () => {
  site = await startSite({ pages: { '/page': '<title>A page</title><p>Some text.</p>' } });
});
afterAll(() => site.close());

describe.each(OUTPUTS)('standard output and standard error: %s', (output) => {
  let database: TestDatabase;
  let cable: Cable;
  let dataDir: string;
  let api: RunningProcess;
  let all: RunningProcess[];
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    cable = new Cable();
    dataDir = await mkdtemp(join(tmpdir(), 'leadengine-output-'));
    const env = {
      DATABASE_URL: await cable.through(database.url),
      BOOTSTRAP_API_KEY: KEY,
      DATA_DIR: dataDir,
      PORT: '0',
      DISPATCH: 'apart',
      EGRESS_ALLOW: '127.0.0.1',
      LOG_LEVEL: 'debug',
      // Each logs what it does if it has a second to do it in.
      SHUTDOWN_GRACE_MS: '4000',
    };
    const start = (entry: string) => startProcess(entry, env, { output, timeoutMs: 60_000 });
    api = await start('api/main.js');
    all = [api, ...(await Promise.all(ENTRIES.map(start)))];
    client = createClient(String(api.ready.url), KEY);
  });
  afterAll(async () => {
    await Promise.all((all ?? []).map((each) => each.kill()));
    cable.remove();
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const isReady = async () => (await client.request('GET', '/health/ready')).status === 200;
  const dropped = async () => {
    const text = await (await client.request('GET', '/metrics')).text();
    return Number(/^leadengine_log_lines_dropped_total (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  };

  test('a job completes, also after a database outage and much logging of every process', async () => {
    const { job_id } = (await (await post()).json()) as { job_id: string };
    await client.until(job_id, 'completed');
    cable.cut();
    await waitFor(async () => !(await isReady()), { what: 'the API to notice' });
    cable.mend();
    await waitFor(isReady, { what: 'the API to be ready again' });
    const next = await client.post({ urls: [`${site.url}/page?again`], render: 'http' });
    await client.until(next, 'completed');
  });
  const post = () => client.request('POST', '/jobs/scrape', { urls: [`${site.url}/page`], render: 'http' });

  test('lost log lines are counted', async () => {
    if (output === 'read' || output === 'closed') {
      // Node opens a closed stream as /dev/null.
      expect(await dropped()).toBe(0);
      return;
    }
    // More than is buffered for a slow reader.
    await waitFor(
      async () => {
        await Promise.all(
          Array.from({ length: 100 }, () => client.request('GET', `/api/v1/${'x'.repeat(7000)}`)),
        );
        return (await dropped()) > 0;
      },
      { what: 'lines to be dropped', everyMs: 0 },
    );
    expect(await isReady()).toBe(true);
  });

  test('each process stops cleanly during a database outage', async () => {
    cable.freeze();
    await waitFor(async () => !(await isReady()), { what: 'the API to notice' });
    expect(await Promise.all(all.map((each) => each.stop()))).toEqual(all.map(() => 0));
  });
});
