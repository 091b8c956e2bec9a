import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type Hosts, startHosts } from '../support/servers/hosts.ts';
import { type Site, startSite } from '../support/servers/site.ts';
import { waitFor } from '../support/wait-for.ts';

/** A lead search whose worker is killed: another worker resumes it. */

const COMPANIES = Array.from({ length: 10 }, (_, n) => `joinery-number-${n + 1}.com`);
/** Answered at once; the others only when the first worker is dead. */
const FIRST = COMPANIES.slice(0, 4);

let dir: string;
let hosts: Hosts;
let search: Site;
let fleet: Fleet;
let answerAll: () => void;

const home = (domain: string) => `<!doctype html><html lang="en"><head><title>${domain}</title></head><body>
  <h1>Joinery Number ${domain.replace(/\D/g, '')} Ltd</h1><p>We make windows and doors.</p>
  <a href="/contact.html">Contact</a><footer>mail: <a href="mailto:info@${domain}">info@${domain}</a></footer></body></html>`;
const contact = (domain: string) => `<!doctype html><html lang="en"><head><title>Contact</title></head><body>
  <h1>Contact</h1><p>Write to <a href="mailto:office@${domain}">office@${domain}</a></p></body></html>`;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'leadengine-companies-'));
  for (const domain of COMPANIES) {
    await mkdir(join(dir, domain));
    await writeFile(join(dir, domain, 'index.html'), home(domain));
    await writeFile(join(dir, domain, 'contact.html'), contact(domain));
  }
  const allAnswered = new Promise<void>((resolve) => {
    answerAll = resolve;
  });
  hosts = await startHosts(dir, COMPANIES, {}, (page) =>
    FIRST.some((domain) => page.startsWith(`www.${domain}/`)) ? undefined : allAnswered,
  );
  const results = COMPANIES.map((domain) => ({ url: `http://www.${domain}:${hosts.port}/`, title: domain }));
  search = await startSite({
    pages: {
      '/search': (request, response) => {
        const isFirst = new URL(request.url ?? '', 'http://searxng').searchParams.get('pageno') === '1';
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ query: 'q', results: isFirst ? results : [] }));
      },
    },
  });
  fleet = await startFleet({
    driver: 'embedded',
    workers: 1,
    env: { ...hosts.env, SEARXNG_URL: search.url, LEASE_MS: '3000' },
  });
});
afterAll(async () => {
  answerAll?.();
  await fleet?.stop();
  await search?.close();
  await hosts?.close();
  await rm(dir, { recursive: true, force: true });
});

test('no business is found twice, none is missed, and no site is fetched again', async () => {
  const id = await fleet.client.post({ search_query: 'joinery', source_types: ['searxng'] });
  await waitFor(async () => (await fleet.client.job(id)).counts.leads === FIRST.length, {
    timeoutMs: 60_000,
    what: 'the first leads to be found',
  });
  await fleet.workers[0]?.kill();
  const askedBefore = hosts.requests.length;
  answerAll();
  await fleet.startWorker();
  const job = await fleet.client.until(id, 'completed', 'failed');
  expect(job).toMatchObject({
    status: 'completed',
    counts: { leads: COMPANIES.length, errors: 0 },
    attempts: [{ outcome: 'crashed' }, { outcome: 'completed' }],
  });

  const answer = await fleet.client.request('GET', `/api/v1/jobs/${id}/leads`);
  const { leads } = (await answer.json()) as { leads: { domain: string; emails: string[] }[] };
  expect(leads.map(({ domain }) => domain).sort()).toEqual([...COMPANIES].sort());
  for (const { domain, emails } of leads) {
    expect([...emails].sort()).toEqual([`info@${domain}`, `office@${domain}`]);
  }
  const again = hosts.requests.slice(askedBefore);
  expect(again.filter((page) => FIRST.some((domain) => page.startsWith(`www.${domain}/`)))).toEqual([]);

  const client = new pg.Client({ connectionString: fleet.env.DATABASE_URL });
  await client.connect();
  const { rows } = await client.query<{ domain: string }>(
    `SELECT data->>'domain' AS domain FROM events WHERE type = 'lead.found' AND job_id = $1`,
    [id],
  );
  await client.end();
  expect(rows.map(({ domain }) => domain).sort()).toEqual([...COMPANIES].sort());
});
