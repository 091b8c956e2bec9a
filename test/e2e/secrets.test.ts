import { randomBytes } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createClient, type Fleet, startFleet } from '../support/processes/fleet.ts';
import { type RunningProcess, runToEnd, startProcess } from '../support/processes/processes.ts';
import { type Site, startSite } from '../support/servers/site.ts';
import { waitFor } from '../support/wait-for.ts';

/**
 * Passwords in URLs, headers, cookies and webhooks of real jobs: they reach their own origin, and
 * nothing else that is stored, shown or logged has them.
 */

const MARK = 'mark3r';
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

interface Seen {
  path: string;
  headers: IncomingHttpHeaders;
}

let testDatabase: TestDatabase;
let fleet: Fleet;
let own: Site;
let other: Site;
let worker: RunningProcess;
let notifier: RunningProcess;
const seen: Record<'own' | 'other', Seen[]> = { own: [], other: [] };

beforeAll(async () => {
  const page = (body: string) => `<title>A page</title><p>${body}</p><img src="/picture.svg">`;
  other = await startSite({
    otherwise: (request, response) => {
      seen.other.push({ path: request.url ?? '', headers: request.headers });
      response.writeHead(200, { 'content-type': 'text/html' }).end(page('Elsewhere'));
    },
  });
  own = await startSite({
    otherwise: (request, response) => {
      const path = request.url ?? '';
      seen.own.push({ path, headers: request.headers });
      if (path === '/robots.txt') return void response.writeHead(404).end();
      if (path === '/hook') return void response.writeHead(204).end();
      if (!request.headers.authorization && !request.headers['x-key'])
        return void response.writeHead(401).end();
      if (path === '/away') return void response.writeHead(302, { location: `${other.url}/arrived` }).end();
      const links = `<a href="/next">Next</a> <a href="http://found:${MARK}found@127.0.0.1:${other.port}/found">Found</a>`;
      response.writeHead(200, { 'content-type': 'text/html' }).end(page(`Inside ${path} ${links}`));
    },
  });
  testDatabase = await createTestDatabase();
  fleet = await startFleet({
    ...{ driver: 'embedded', workers: 1, databaseUrl: testDatabase.url },
    env: { EMAIL_DIGEST_SECONDS: '0', WEBHOOK_MAX_ATTEMPTS: '2', WEBHOOK_RETRY_BASE_MS: '50' },
  });
  [worker] = fleet.workers as [RunningProcess];
  notifier = await fleet.startNotifier();
});
afterAll(async () => {
  // It may be another one than at the start.
  await fleet.api.kill();
  await fleet.stop();
  await testDatabase.drop();
  await Promise.all([own.close(), other.close()]);
});

/** A URL of the protected site with a user name and password. */
const withLogin = (path: string, password: string) => `http://ada:${password}@127.0.0.1:${own.port}${path}`;
const json = async (path: string) => (await fleet.client.request('GET', `/api/v1${path}`)).json();
const done = async (spec: Record<string, unknown>) => {
  const id = await fleet.client.post({ max_attempts: 1, ...spec });
  return fleet.client.until(id, 'completed', 'failed');
};

describe.each(['http', 'browser'])('a password in a URL, by render: %s', (render) => {
  const password = `${MARK}-${render}-p%40ss`;
  const authorization = basic(`ada:${MARK}-${render}-p@ss`);

  test('is sent to its origin, and the page shows the URL without it', async () => {
    const job = await done({
      urls: [withLogin('/', password)],
      render,
      formats: ['links', 'markdown', 'html'],
    });
    const [page] = await fleet.client.pages(job.job_id);
    expect(page).toMatchObject({
      url: `${own.url}/`,
      final_url: `${own.url}/`,
      status_code: 200,
      error: null,
    });
    expect(page?.links).toContainEqual({ url: `${other.url}/found`, text: 'Found', kind: 'internal' });
    const asked = seen.own.filter(({ headers }) => headers.authorization === authorization);
    expect(asked.map(({ path }) => path)).toContain('/');
    expect(seen.own.filter(({ path }) => path === '/robots.txt')[0]?.headers.authorization).toBeUndefined();
    expect(job.spec).toMatchObject({ urls: [`${own.url}/`], url_credentials: [own.url] });
  });

  test('is not sent to where the page redirects', async () => {
    const job = await done({ urls: [withLogin('/away', password)], render });
    const [page] = await fleet.client.pages(job.job_id);
    expect(page).toMatchObject({ url: `${own.url}/away`, final_url: `${other.url}/arrived` });
    expect(seen.other.map(({ path }) => path)).toContain('/arrived');
    expect(seen.other.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});

test('a crawl, a map and a lead search send it too, and store no URL with it', async () => {
  const before = seen.own.length;
  const crawl = await done({ urls: [withLogin('/', `${MARK}-crawl`)], crawl: { max_pages: 3 } });
  const crawled = await fleet.client.pages(crawl.job_id);
  expect(crawled.map(({ url }) => url).sort()).toEqual([`${own.url}/`, `${own.url}/next`]);
  const map = await fleet.client.request('POST', '/api/v1/jobs/map', { url: withLogin('/', `${MARK}-map`) });
  expect((await map.json()).urls.map(({ url }: { url: string }) => url)).toContain(`${own.url}/next`);
  await done({ urls: [withLogin('/', `${MARK}-leads`)], source_types: ['website'] });
  const sent = seen.own.slice(before).map(({ headers }) => headers.authorization);
  for (const kind of ['crawl', 'map', 'leads']) expect(sent).toContain(basic(`ada:${MARK}-${kind}`));
});

test('a webhook gets the password that stood in its URL as a header', async () => {
  const hook = (user: string, password: string) => `http://${user}:${password}@127.0.0.1:${own.port}/hook`;
  const hooks = () =>
    seen.own.filter(({ path }) => path === '/hook').map(({ headers }) => headers.authorization);
  await done({
    urls: [`${own.url}/`],
    headers: { 'x-key': `${MARK}-header` },
    webhook_url: hook('job', `${MARK}-hook`),
  });
  await waitFor(async () => hooks().length === 1, { what: 'the webhook of a job' });
  const [webhook] = (await json('/webhooks')).webhooks;
  expect(webhook).toMatchObject({ url: `${own.url}/hook`, url_credentials: true });
  const created = await fleet.client.request('POST', '/api/v1/subscriptions', {
    ...{ events: ['job.failed'], channel: 'webhook', target: hook('next', `${MARK}-next`) },
  });
  expect((await created.json()).target).toBe(`${own.url}/hook`);
  await done({ urls: ['http://refused.invalid/'], cookies: [{ name: 'session', value: `${MARK}-cookie` }] });
  await waitFor(async () => hooks().length === 2, { what: 'the webhook of a subscription' });
  expect(hooks()).toEqual([basic(`job:${MARK}-hook`), basic(`next:${MARK}-next`)]);
});

test('no answer, no shared result, no log line and no row of the database has any of them', async () => {
  const proxy = `http://ada:${MARK}-proxy@127.0.0.1:9`;
  const typed = [{ type: 'type', selector: '#password', text: `${MARK}-typed` }];
  const metadata = { control: 'c0ntrol' };
  await done({ urls: ['http://refused.invalid/'], proxy, actions: typed, metadata });
  const endpoint = `https://127.0.0.1:${other.port}/${MARK}-push`;
  const keys = { p256dh: randomBytes(65).toString('base64url'), auth: randomBytes(16).toString('base64url') };
  const push = { events: ['lead.found'], channel: 'push', target: { endpoint, keys } };
  expect((await fleet.client.request('POST', '/api/v1/subscriptions', push)).status).toBe(201);

  const { jobs } = await json('/jobs?limit=200');
  const shared = jobs.find(({ spec }: { spec: { urls: string[] } }) => spec.urls[0] === `${own.url}/`);
  const link = await (
    await fleet.client.request('POST', '/api/v1/links', { job_id: shared.job_id, share: true })
  ).json();
  const texts = new Map<string, string>();
  const read = async (path: string) =>
    texts.set(path, await (await fleet.client.request('GET', path)).text());
  for (const path of [
    ...['/api/v1/jobs?limit=200', '/api/v1/notifications', '/api/v1/dead-letters', '/api/v1/webhooks'],
    ...[
      '/api/v1/leads',
      '/api/v1/links',
      '/api/v1/statistics',
      '/metrics',
      '/api/v1/workers',
      '/api/v1/queue',
    ],
    ...['', '/pages.csv', '/pages.json', '/leads.csv', '/leads.json'].map(
      (part) => `/share/${link.code}${part}`,
    ),
    `/r/${link.code}+`,
  ]) {
    await read(path);
  }
  for (const { job_id } of jobs) {
    for (const part of ['', '/pages', '/leads', '/urls']) await read(`/api/v1/jobs/${job_id}${part}`);
  }
  for (const { id } of (await json('/webhooks')).webhooks) await read(`/api/v1/webhooks/${id}/deliveries`);
  for (const process of [fleet.api, worker, notifier]) texts.set(`log ${process.pid}`, process.output());
  for (const [table, text] of await dump(testDatabase.url)) texts.set(`table ${table}`, text);
  expect([...texts.keys()].length).toBeGreaterThan(60);
  const secretKeys = [keys.p256dh, keys.auth];
  const leaked = [...texts].filter(([, text]) =>
    [...spellings(MARK), ...secretKeys].some((form) => text.includes(form)),
  );
  expect(leaked.map(([name]) => name)).toEqual([]);
  expect(texts.get(`/share/${link.code}/pages.json`)).toContain(own.url);
  expect(texts.get('table public.jobs')).toContain('c0ntrol');
  expect(texts.get('/api/v1/jobs?limit=200')).toContain('c0ntrol');
});

/** How a text may stand in a dump: as it is, in hexadecimal, or in base64 at any offset. */
function spellings(text: string): string[] {
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.from('x'.repeat(offset) + text)
      .toString('base64')
      .slice(offset === 0 ? 0 : offset + 1)
      .replace(/.{0,3}={0,2}$/, ''),
  );
  return [text, Buffer.from(text).toString('hex'), ...base64.filter((form) => form.length >= 4)];
}

/** Every row of every table, as text. */
async function dump(url: string): Promise<[string, string][]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('public', 'queue')`,
    );
    const tables: [string, string][] = [];
    for (const { name } of rows) {
      const found = await client.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`);
      tables.push([name, found.rows.map(({ text }) => text).join('\n')]);
    }
    return tables;
  } finally {
    await client.end();
  }
}

describe('the encryption key', () => {
  const file = () => join(String(fleet.env.DATA_DIR), 'encryption-key');
  const current = randomBytes(32).toString('hex');
  const restartApi = async (env: Record<string, string>) => {
    await fleet.api.stop();
    fleet.api = await startProcess('api/main.js', { ...fleet.env, ...env });
    fleet.client = createClient(fleet.api.ready.url ?? '');
  };

  test('was made by the first process, for its user alone', async () => {
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect(fleet.api.logged('encryption_key_created')).toMatchObject([{ file: file() }]);
  });

  test('is replaced: the first of several encrypts, and what the others encrypted is encrypted again', async () => {
    await notifier.stop();
    const old = (await readFile(file(), 'utf8')).trim();
    const [webhook] = (await json('/webhooks')).webhooks;
    const secret = await json(`/webhooks/${webhook.id}/secret`);
    await restartApi({ ENCRYPTION_KEY: `${current},${old}` });
    expect(Number(fleet.api.logged('secrets_reencrypted')[0]?.count)).toBeGreaterThan(10);
    await rm(file());
    await restartApi({ ENCRYPTION_KEY: current });
    expect(fleet.api.logged('secrets_unreadable')).toEqual([]);
    expect(await json(`/webhooks/${webhook.id}/secret`)).toEqual(secret);
  });

  test.each([
    ['missing', '', /^no encryption key: .*set ENCRYPTION_KEY to it, .*or restore .*encryption-key$/],
    [
      'another',
      randomBytes(32).toString('hex'),
      /^wrong encryption key: ENCRYPTION_KEY has key \w{8}, but .*new,old/,
    ],
    ['no key', 'hunter2', /^configuration: ENCRYPTION_KEY: expected 32 random bytes/],
  ])('that is %s stops a process with one line', async (_, key, line) => {
    const env = { ...fleet.env, ENCRYPTION_KEY: key, LOG_LEVEL: 'error' };
    const { exitCode, output } = await runToEnd('workers/scraper/main.js', env);
    expect(exitCode).toBe(1);
    expect(output.trim()).toMatch(line);
    expect(output).not.toContain('hunter2');
  });

  test('lost for good fails the jobs that need it, and no others', async () => {
    await worker.stop();
    const secretive = await fleet.client.post({ urls: [`${own.url}/`], headers: { 'x-key': 'lost' } });
    const plain = await fleet.client.post({ urls: [`${other.url}/`] });
    const client = new pg.Client({ connectionString: testDatabase.url });
    await client.connect();
    await client.query('DELETE FROM encryption_keys');
    await client.end();
    await fleet.startWorker({ ENCRYPTION_KEY: randomBytes(32).toString('hex') });
    expect(await fleet.client.until(secretive, 'failed', 'completed')).toMatchObject({
      ...{ status: 'failed', attempt: 1, error: { code: 'secrets_unreadable' } },
    });
    expect(await fleet.client.until(plain, 'failed', 'completed')).toMatchObject({ status: 'completed' });
  });
});
