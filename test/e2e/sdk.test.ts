import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { transform } from '@swc/core';
import { buildSdk } from '../../scripts/build-sdk.mjs';
import { ApiError, JobError, LeadEngine, type Page, PageError } from '../../sdk/src/index.ts';
import { type Fleet, startFleet } from '../support/processes/fleet.ts';
import { startProcess } from '../support/processes/processes.ts';
import { type Site, startSite } from '../support/servers/site.ts';

/** The SDK against a real API with a real worker. */

const KEY = 'test-key-0123456789abcdef';
const root = join(import.meta.dirname, '../..');

let site: Site;
let fleet: Fleet;
let engine: LeadEngine;
/** The page `/last` is answered once this is called. */
let release = () => {};
let released = Promise.resolve();
const hold = () => {
  released = new Promise((resolve) => {
    release = resolve;
  });
};

const CHAPTERS = ['/1', '/2', '/3', '/4'];
const link = (path: string) => `<a href="${path}">Chapter ${path}</a>`;

beforeAll(async () => {
  site = await startSite({
    pages: {
      '/': `<title>Book</title><h1>The book</h1><p>All of it.</p>${[...CHAPTERS, '/last'].map(link).join(' ')}`,
      ...Object.fromEntries(
        CHAPTERS.map((path) => [path, `<title>Chapter ${path}</title><p>Text of chapter ${path}.</p>`]),
      ),
      '/last': async (_request, response) => {
        await released;
        response.setHeader('content-type', 'text/html').end('<title>The end</title><p>They lived.</p>');
      },
      '/imprint': `<title>Imprint</title><h1>Oak Joinery Ltd</h1><p>1 Mill Lane, Leeds LS1 4AB</p>
        <a href="mailto:info@oak-joinery.co.uk">info@oak-joinery.co.uk</a>`,
      // Results of a search, of which there are none.
      '/html/': '<div id="links" class="results"><div class="no-results">No results.</div></div>',
      '/interpreter': (_request, response) => {
        response.setHeader('content-type', 'application/json').end('{"elements": []}');
      },
    },
    otherwise: (_request, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Nothing here</h1>');
    },
  });
  fleet = await startFleet({
    driver: 'embedded',
    workers: 1,
    env: { HOST_GAP_MS: '0', DUCKDUCKGO_URL: site.url, OVERPASS_URL: `${site.url}/interpreter` },
  });
  engine = new LeadEngine({ url: fleet.api.ready.url, apiKey: KEY });
});
afterAll(async () => {
  release();
  await fleet?.stop();
  await site?.close();
});

const pathOf = ({ url }: Page) => url.slice(site.url.length);

describe('a page', () => {
  test('is the answer', async () => {
    const page = await engine.scrape(`${site.url}/1`, { formats: ['markdown'], extract: { title: 'title' } });
    expect(page).toMatchObject({ title: 'Chapter /1', status_code: 200, error: null });
    expect(page.markdown).toContain('Text of chapter /1.');
    expect(page.extracted).toEqual({ title: 'Chapter /1' });
  });

  test('with an error status is an error that has the page', async () => {
    const error = await engine.scrape(`${site.url}/nothing`, { formats: ['text'] }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(PageError);
    expect(error).toMatchObject({
      code: 'http_client_error',
      page: { status_code: 404, text: 'Nothing here' },
    });
  });

  test('that is no URL is refused with the field', async () => {
    const error = await engine.scrape('example.com').catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 422, code: 'invalid_request', errors: [{ path: 'url' }] });
  });

  test('that is no longer wanted is cancelled on the server', async () => {
    hold();
    const wanted = new AbortController();
    const metadata = { test: 'unwanted' };
    const scraping = engine.scrape(`${site.url}/last`, { signal: wanted.signal, metadata });
    const [job] = await untilListed(metadata);
    wanted.abort(new Error('enough'));
    await expect(scraping).rejects.toThrow('enough');
    await expect(engine.waitFor(job?.job_id ?? '')).rejects.toMatchObject({ code: 'cancelled' });
    release();
  });
});

describe('a crawl', () => {
  test('gives each page once, while it runs, through a restart of the API', async () => {
    hold();
    const crawl = engine.crawl(`${site.url}/`, { formats: ['text'] });
    const seen: string[] = [];
    for await (const page of crawl) {
      seen.push(pathOf(page));
      if (seen.length !== 2) continue;
      // The last page is not there yet, so the job runs.
      expect((await engine.job(await crawl.id)).status).toBe('running');
      const port = new URL(engine.url).port;
      await fleet.api.kill();
      setTimeout(release, 500);
      const again = startProcess('api/main.js', { ...fleet.env, PORT: port });
      again.then((api) => Object.assign(fleet, { api })).catch(() => {});
    }
    expect([...seen].sort()).toEqual(['/', ...CHAPTERS, '/last'].sort());
    expect(await crawl.job).toMatchObject({ status: 'completed', counts: { pages: 6, errors: 0 } });
  });

  test('is cancelled when its loop is left', async () => {
    hold();
    const crawl = engine.crawl(`${site.url}/`);
    for await (const page of crawl) {
      expect(pathOf(page)).toBe('/');
      break;
    }
    expect((await crawl.job).status).toBe('cancelled');
    release();
  });

  test('that fails throws after its last page', async () => {
    const seen: Page[] = [];
    const crawl = engine.crawl(`${site.url}/nothing`, { max_attempts: 1 });
    const reading = (async () => {
      for await (const page of crawl) seen.push(page);
    })();
    const error = await reading.catch((thrown) => thrown);
    expect(error).toBeInstanceOf(JobError);
    expect(error).toMatchObject({ code: 'http_client_error', job: { status: 'failed' } });
    expect(seen.map(pathOf)).toEqual(['/nothing']);
  });
});

test('leads come as they are found', async () => {
  const leads = engine.leads({ urls: [`${site.url}/imprint`], source_types: ['website'] });
  const found = [];
  for await (const lead of leads) found.push(lead.emails);
  expect(found).toEqual([['info@oak-joinery.co.uk']]);
  expect((await leads.job).counts.leads).toBe(1);
});

test('a map has the addresses of the site', async () => {
  const { urls, total } = await engine.map(`${site.url}/`);
  expect(urls.map(({ url }) => url)).toContain(`${site.url}/3`);
  expect(total).toBe(urls.length);
});

test('a job is followed by its events, waited for, listed and read', async () => {
  const metadata = { test: 'jobs' };
  const ids = await engine.submitBatch([
    { urls: [`${site.url}/1`, `${site.url}/2`], metadata },
    { urls: [`${site.url}/3`], metadata },
  ]);
  const [id = '', other = ''] = ids.map(({ job_id }) => job_id);
  const types: string[] = [];
  for await (const { type } of engine.events(id, {
    types: ['job.created', 'job.started', 'job.completed'],
  })) {
    types.push(type);
  }
  expect(types).toEqual(['job.created', 'job.started', 'job.completed']);
  await engine.waitFor(other);
  const listed = [];
  for await (const job of engine.jobs({ metadata, status: ['completed'] })) listed.push(job.job_id);
  expect(listed.sort()).toEqual([id, other].sort());
  const pages = [];
  for await (const page of engine.pagesOf(id)) pages.push(pathOf(page));
  expect(pages).toEqual(['/1', '/2']);
  await expect(engine.cancel(id)).rejects.toMatchObject({ status: 409, code: 'job_state_conflict' });
});

test('a link and a webhook are made, listed and deleted', async () => {
  const link = await engine.links.create({ url: `${site.url}/1` });
  const codes = [];
  for await (const { code } of engine.links.list()) codes.push(code);
  expect(codes).toEqual([link.code]);
  await engine.links.delete(link.code);
  await expect(engine.links.get(link.code)).rejects.toMatchObject({ code: 'not_found' });
  const { id, secret } = await engine.webhooks.create({ url: `${site.url}/hook` });
  expect(await engine.webhooks.secret(id)).toBe(secret);
  expect((await engine.webhooks.update(id, { paused: true })).paused_reason).toBe('user');
  await engine.webhooks.delete(id);
  expect(await engine.webhooks.list()).toEqual([]);
});

test('the examples of the README run as one program, in a project of their own', async () => {
  const project = await mkdtemp(join(tmpdir(), 'leadengine-readme-'));
  try {
    await buildSdk(join(project, 'sdk/dist'));
    await writeFile(join(project, 'sdk/package.json'), await readFile(join(root, 'sdk/package.json')));
    await mkdir(join(project, 'node_modules/@leadengine'), { recursive: true });
    await symlink(join(project, 'sdk'), join(project, 'node_modules/@leadengine/sdk'));
    const readme = await readFile(join(root, 'sdk/README.md'), 'utf8');
    const text = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)]
      .map(([, code]) => code)
      .join('\n')
      .replaceAll('https://example.com/', `${site.url}/`)
      .replace('http://127.0.0.1:3000', engine.url)
      .replace('le_…', KEY);
    const { code } = await transform(text, { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } });
    await writeFile(join(project, 'readme.mjs'), code);
    const { stdout } = await promisify(execFile)(process.execPath, ['readme.mjs'], { cwd: project });
    expect(stdout).toContain('Book # The book');
    expect(stdout).toContain("{ heading: 'The book' } 5");
    expect(stdout).toContain('bytes of PNG');
    expect(stdout).toContain('6 pages');
    expect(stdout).toContain('job.completed completed');
    expect(stdout).toContain('http_client_error 404');
  } finally {
    await rm(project, { recursive: true, force: true });
  }
});

async function untilListed(metadata: Record<string, string>) {
  for (;;) {
    const jobs = [];
    for await (const job of engine.jobs({ metadata, status: ['running'] })) jobs.push(job);
    if (jobs.length > 0) return jobs;
  }
}
