import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { DRIVERS, type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type Site, startSite } from '../support/servers/site.ts';
import { waitFor } from '../support/wait-for.ts';

/**
 * What an operator of several workers relies on, with either driver: real processes, a real
 * browser, real kills.
 */

const run = promisify(execFile);
let site: Site;
/** Requests to `/slow`, answered when the test releases them. */
let held: (() => void)[] = [];
let holding = true;

beforeAll(async () => {
  site = await startSite({
    pages: {
      '/page': '<title>A page</title><main><h1>Hello</h1><p>Some text.</p></main>',
      '/slow': (_request, response) => {
        const answer = () =>
          response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Slow</title><p>Done.</p>');
        if (holding) held.push(answer);
        else answer();
      },
    },
  });
});
afterAll(() => site.close());
beforeEach(() => {
  held = [];
  holding = true;
});

const letGo = () => {
  holding = false;
  for (const answer of held.splice(0)) answer();
};

/**
 * Chromium processes that descend from this one; found by `ps` because they are in groups of their
 * own.
 */
async function chromiumsOf(pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid=,comm=']);
  const processes = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([own, parent, name]) => ({ pid: Number(own), parent: Number(parent), name: name ?? '' }));
  const family = new Set([pid]);
  for (let grown = true; grown; ) {
    const before = family.size;
    for (const child of processes) if (family.has(child.parent)) family.add(child.pid);
    grown = family.size > before;
  }
  return processes
    .filter((child) => family.has(child.pid) && /chrom/i.test(child.name))
    .map((child) => child.pid);
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe.each(DRIVERS)('a fleet on %s', (driver) => {
  let fleet: Fleet;
  afterEach(() => fleet?.stop());
  const start = async (workers: number, env: Record<string, string> = {}) => {
    fleet = await startFleet({ driver, workers, env });
    return fleet;
  };

  test('300 jobs spread over three workers, and each runs once', async () => {
    const { client, workers } = await start(3);
    const ids = await client.postBatch(Array.from({ length: 300 }, () => ({ urls: [`${site.url}/page`] })));
    const jobs = await client.untilAll(ids, 'completed', 'failed');
    expect(jobs.filter(({ status }) => status === 'completed')).toHaveLength(300);
    expect(jobs.every(({ attempts, counts }) => attempts.length === 1 && counts.pages === 1)).toBe(true);
    const share = new Map<string, number>();
    for (const { attempts } of jobs) {
      const worker = attempts[0]?.worker ?? '';
      share.set(worker, (share.get(worker) ?? 0) + 1);
    }
    expect(share.size).toBe(3);
    for (const jobsOfOne of share.values()) expect(jobsOfOne).toBeGreaterThan(50);
    for (const worker of workers) expect(worker.logged('job_settled').length).toBeGreaterThan(50);
  });

  test('a page has its title, text, links, markdown and metadata', async () => {
    const { client } = await start(1);
    const article = await startSite({
      pages: {
        '/': `<html lang="en"><head><title>The title</title><meta name="description" content="In short">
              <script type="application/ld+json">{"@type":"Article"}</script></head>
              <body><main><h1>Heading</h1><p>First <a href="/next">link</a>.</p><p id="late"></p></main>
              <script>setTimeout(() => { document.getElementById('late').textContent = 'Drawn by script.' }, 150)</script>
              </body></html>`,
      },
    });
    try {
      const id = await client.post({
        urls: [`${article.url}/`],
        formats: ['markdown', 'text', 'links', 'metadata', 'screenshot'],
        extract: { heading: 'h1', next: { selector: 'a', attribute: 'href' } },
      });
      await client.until(id, 'completed');
      const [page] = await client.pages(id);
      expect(page).toMatchObject({
        url: `${article.url}/`,
        status_code: 200,
        title: 'The title',
        links: [{ url: `${article.url}/next`, text: 'link' }],
        metadata: { description: 'In short', language: 'en' },
        extracted: { heading: 'Heading', next: `${article.url}/next` },
        engine: 'browser',
        error: null,
      });
      expect(page?.markdown).toContain(`First [link](${article.url}/next).`);
      expect(page?.markdown).toContain('Drawn by script.');
      expect(page?.text).toContain('Drawn by script.');
      const picture = await client.request('GET', String(page?.screenshot));
      expect(picture.headers.get('content-type')).toBe('image/png');
      expect(
        Buffer.from(await picture.arrayBuffer())
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG');
    } finally {
      await article.close();
    }
  });

  test('a worker that is stopped finishes its job, exits 0 and leaves no Chromium', async () => {
    const { client, workers } = await start(1);
    const id = await client.post({ urls: [`${site.url}/slow`] });
    await waitFor(() => held.length === 1, { what: 'the page to be requested' });
    const [worker] = workers;
    const chromiums = await chromiumsOf(worker?.pid ?? 0);
    expect(chromiums.length).toBeGreaterThan(0);
    worker?.signal('SIGTERM');
    await waitFor(() => worker?.logged('process_stopping').length, { what: 'the worker to stop' });
    letGo();
    expect((await worker?.exited)?.exitCode).toBe(0);
    await waitFor(() => !chromiums.some(isAlive), { what: 'Chromium to be gone' });
    const job = await client.job(id);
    expect(job).toMatchObject({ status: 'completed', attempt: 1 });
    expect(job.attempts).toHaveLength(1);
  });

  test('a worker whose grace period ends releases its job, and the attempt does not count', async () => {
    const { client, workers, startWorker } = await start(1, { SHUTDOWN_GRACE_MS: '2000' });
    const id = await client.post({ urls: [`${site.url}/slow`] });
    await waitFor(() => held.length === 1, { what: 'the page to be requested' });
    const stoppedAt = Date.now();
    workers[0]?.signal('SIGTERM');
    expect((await workers[0]?.exited)?.exitCode).toBe(0);
    // Its grace period, and what a busy machine needs to end a process.
    expect(Date.now() - stoppedAt).toBeLessThan(2000 + 1500);
    expect((await client.job(id)).status).toBe('queued');
    letGo();
    await startWorker();
    const job = await client.until(id, 'completed');
    expect(job.attempt).toBe(1);
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['released', 'completed']);
  });

  test('a killed worker loses nothing: another one claims its job within moments, and results are stored once', async () => {
    const { client, workers, startWorker } = await start(1, { LEASE_MS: '4000' });
    const id = await client.post({ urls: [`${site.url}/page`, `${site.url}/slow`] });
    await waitFor(() => held.length === 1, { what: 'the second page to be requested' });
    await startWorker();
    const [chromium] = await chromiumsOf(workers[0]?.pid ?? 0);
    const killedAt = Date.now();
    await workers[0]?.kill();
    await waitFor(() => held.length === 2, { what: 'the second page to be requested again' });
    const tookOverMs = Date.now() - killedAt;
    // On RabbitMQ within two seconds; embedded within the lease. The rest is a margin for a busy
    // machine to open a page.
    expect(tookOverMs).toBeLessThan((driver === 'rabbitmq' ? 2000 : 4000) + 1500);
    letGo();
    const job = await client.until(id, 'completed');
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['crashed', 'completed']);
    expect(await client.pages(id)).toHaveLength(2);
    expect(site.requests.filter((path) => path === '/page').length).toBeGreaterThan(0);
    await waitFor(() => !isAlive(chromium ?? 0), { what: "the killed worker's Chromium to be gone" });
  });

  test('cancelling a running job ends its page within a second', async () => {
    const { client, workers } = await start(1);
    const id = await client.post({ urls: [`${site.url}/slow`] });
    await waitFor(() => held.length === 1, { what: 'the page to be requested' });
    const cancelledAt = Date.now();
    expect((await client.cancel(id)).status).toBe('cancelled');
    await waitFor(() => workers[0]?.logged('job_outcome_dropped').length, { what: 'the worker to abort' });
    expect(Date.now() - cancelledAt).toBeLessThan(1500);
    letGo();
    // The slot is free again.
    const next = await client.post({ urls: [`${site.url}/page`] });
    await client.until(next, 'completed');
    expect(await client.job(id)).toMatchObject({ status: 'cancelled', counts: { pages: 0 } });
  });

  test('an urgent job posted behind 5,000 waiting ones starts next', async () => {
    const { client } = await start(1);
    for (let batch = 0; batch < 5; batch += 1) {
      await client.postBatch(Array.from({ length: 1000 }, () => ({ urls: [`${site.url}/slow`] })));
    }
    await waitFor(() => held.length === 1, { what: 'the first job to run' });
    const urgent = await client.post({ urls: [`${site.url}/page`], priority: 9 });
    await waitFor(
      async () => {
        const database = new pg.Client({ connectionString: fleet.env.DATABASE_URL });
        await database.connect();
        const { rows } = await database.query('SELECT dispatched_at FROM jobs WHERE id = $1', [urgent]);
        await database.end();
        return rows[0]?.dispatched_at;
      },
      { what: 'the urgent job to be dispatched' },
    );
    letGo();
    holding = true;
    await client.until(urgent, 'completed');
    const startedBefore = await startedBetween(urgent);
    expect(startedBefore).toBe(0);
  });

  /** How many jobs started between the post of this one and its start. */
  async function startedBetween(id: string): Promise<number> {
    const database = new pg.Client({ connectionString: fleet.env.DATABASE_URL });
    await database.connect();
    const { rows } = await database.query(
      `SELECT count(*)::int AS count FROM jobs j, jobs urgent
       WHERE urgent.id = $1 AND j.started_at > urgent.created_at AND j.started_at < urgent.started_at`,
      [id],
    );
    await database.end();
    return rows[0].count;
  }

  test('a job that kills its workers exhausts its attempts', async () => {
    const { client, startWorker } = await start(1, { LEASE_MS: '3000' });
    const id = await client.post({ urls: [`${site.url}/slow`], max_attempts: 2 });
    for (let kills = 1; kills <= 2; kills += 1) {
      await waitFor(() => held.length === kills, { what: `attempt ${kills} to run` });
      const next = await startWorker();
      for (const worker of fleet.workers) if (worker !== next) await worker.kill();
    }
    const job = await client.until(id, 'failed');
    expect(job).toMatchObject({ error: { code: 'worker_lost' } });
    expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['crashed', 'crashed']);
    letGo();
  });
});
