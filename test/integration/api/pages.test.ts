import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { settle } from '../../../core/jobs/job-state.ts';
import { storePages as storeInRun } from '../../../db/jobs/run.ts';
import { settleJobs } from '../../../db/jobs/settle.ts';
import { type Logger, silentLogger } from '../../../runtime/log/logger.ts';
import { waitFor } from '../../support/wait-for.ts';
import { aPage, begin, expectProblem, startApi, storePages, type TestApi } from './api-fixture.ts';

let api: TestApi;
const ended: unknown[] = [];
beforeAll(async () => {
  const logger: Logger = {
    ...silentLogger,
    debug: (event, fields) => event === 'http_request' && ended.push(fields?.request_id),
  };
  api = await startApi({ logger, accessLog: true });
});
afterAll(() => api.stop());

const NDJSON = { accept: 'application/x-ndjson' };
const urlsOf = (pages: { url: string }[]) => pages.map(({ url }) => url);
const linesOf = (text: string): { url: string }[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

const COMPLETED = (job: Awaited<ReturnType<typeof begin>>) =>
  settle(job, { kind: 'completed' }, { baseMs: 1, capMs: 1 }, 0);

async function jobWithPages(count: number, filler = '') {
  const id = await api.submit();
  const job = await begin(api.database, id);
  const pages = Array.from({ length: count }, (_, n) =>
    aPage({ url: `https://example.com/${n}`, ...(filler ? { text: filler } : {}) }),
  );
  await storePages(api.database, job, pages);
  return { id, job, urls: urlsOf(pages), path: `/api/v1/jobs/${id}/pages` };
}

describe('the pages of a job', () => {
  test('are returned as they were stored', async () => {
    const { path } = await jobWithPages(1);
    const { json } = await api.ask('GET', path);
    expect(json).toEqual({ pages: [aPage({ url: 'https://example.com/0' })], next_cursor: null });
  });

  test('hold only the fields asked for, and their position in the job', async () => {
    const { path } = await jobWithPages(3);
    const query = '?fields=position,url&fields=pdf';
    const positions = [0, 1, 2].map((n) => ({ position: n, url: `https://example.com/${n}` }));
    expect((await api.ask('GET', `${path}${query}`)).json.pages).toEqual(positions);
    const { json } = await api.ask('GET', `${path}${query}&limit=1&cursor=0`);
    expect(json).toEqual({ pages: [positions[1]], next_cursor: '1' });
    const lines = await api.ask('GET', `${path}${query}&format=ndjson`);
    expect(linesOf(lines.text)).toEqual(positions);
    for (const wrong of ['fields=position,size', 'fields=url&follow=true']) {
      expectProblem(await api.ask('GET', `${path}?${wrong}`), 422, 'invalid_request');
    }
  });

  test('are an empty list before there are any', async () => {
    const path = `/api/v1/jobs/${await api.submit()}/pages`;
    expect((await api.ask('GET', path)).json).toEqual({ pages: [], next_cursor: null });
    expect((await api.ask('GET', path, { headers: NDJSON })).text).toBe('');
  });

  test('come in pages without gaps or repeats', async () => {
    const { path, urls } = await jobWithPages(5);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { json } = await api.ask('GET', `${path}?limit=2${cursor}`);
      seen.push(...urlsOf(json.pages));
      cursor = json.next_cursor && `&cursor=${json.next_cursor}`;
    } while (cursor);
    expect(seen).toEqual(urls);
  });

  test.each([
    ['by Accept', '', NDJSON],
    ['by ?format=', '?format=ndjson', {}],
  ])('are streamed as NDJSON, chosen %s', async (_how, query, headers) => {
    const { path, urls } = await jobWithPages(120);
    const answer = await api.ask('GET', `${path}${query}`, { headers });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    expect(urlsOf(linesOf(answer.text))).toEqual(urls);
  });

  test('are JSON if ?format= says so, whatever Accept is', async () => {
    const { path } = await jobWithPages(1);
    expect((await api.ask('GET', `${path}?format=json`, { headers: NDJSON })).json.pages).toHaveLength(1);
    expect((await api.ask('GET', path, { headers: { accept: '*/*' } })).json.pages).toHaveLength(1);
  });

  test('are streamed from a cursor and up to a limit', async () => {
    const { path, urls } = await jobWithPages(5);
    const { next_cursor } = (await api.ask('GET', `${path}?limit=1`)).json;
    const answer = await api.ask('GET', `${path}?format=ndjson&cursor=${next_cursor}&limit=2`);
    expect(urlsOf(linesOf(answer.text))).toEqual(urls.slice(1, 3));
  });

  test('are followed in the order they were stored, until the job has ended', async () => {
    const id = await api.submit();
    const job = await begin(api.database, id);
    const store = async (position: number) => {
      const page = aPage({ url: `https://example.com/${position}` });
      const [progress, counts] = [
        { done: 1, total: 3, message: null },
        { pages: 1, leads: 0, errors: 0 },
      ];
      await storeInRun(api.database, job, [{ position, page, artifacts: [], progress, counts }]);
    };
    let cursor: string | null = '';
    const read = async () => {
      const after: string = cursor ? `&cursor=${cursor}` : '';
      const { json } = await api.ask('GET', `/api/v1/jobs/${id}/pages?follow=true&limit=1${after}`);
      cursor = json.next_cursor;
      return urlsOf(json.pages)[0];
    };
    const next = () => waitFor(read, { what: 'the next page' });
    expect(await read()).toBeUndefined();
    await store(2);
    expect(await next()).toBe('https://example.com/2');
    await store(0);
    expect(await next()).toBe('https://example.com/0');
    expect(await read()).toBeUndefined();
    expect(cursor).not.toBeNull();
    await store(1);
    await settleJobs(api.database, [{ run: job, transition: COMPLETED(job) }]);
    expect(await read()).toBe('https://example.com/1');
    expect(cursor).toBeNull();
  });

  test('are not read any further once the client has disconnected', async () => {
    // Several reads' worth, and far more than the socket buffers hold.
    const { path } = await jobWithPages(60, 'x'.repeat(1024 * 1024));
    const before = api.statements.length;
    const request = get(`${api.url}${path}?format=ndjson`, {
      headers: { authorization: `Bearer ${api.adminKey}`, 'x-request-id': 'leaves' },
    });
    await new Promise<void>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        response.once('data', () => {
          response.pause();
          resolve();
        });
      });
    });
    request.destroy();
    await waitFor(() => ended.includes('leaves'), { what: 'the end of the request' });
    const readings = api.statements.slice(before).filter((name) => name === 'list_pages');
    expect(readings).toHaveLength(1);
  });

  test.each([
    ['limit', '0'],
    ['limit', '1001'],
    ['cursor', 'x'],
    ['cursor', '9999999999'],
    ['format', 'xml'],
    ['colour', 'red'],
    ['follow', 'maybe'],
    ['follow', 'true&format=ndjson'],
    ['cursor', '5&follow=true'],
  ])('refuse %s=%s', async (name, value) => {
    const { path } = await jobWithPages(0);
    const answer = await api.ask('GET', `${path}?${name}=${value}`);
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe(name);
  });
});

test('the leads of a job are an empty list, in JSON and NDJSON', async () => {
  const path = `/api/v1/jobs/${await api.submit()}/leads`;
  expect((await api.ask('GET', path)).json).toEqual({ leads: [], next_cursor: null });
  const lines = await api.ask('GET', path, { headers: NDJSON });
  expect({ status: lines.status, text: lines.text }).toEqual({ status: 200, text: '' });
});

describe('an artifact', () => {
  const body = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2]);
  let path: string;
  beforeAll(async () => {
    const job = await begin(api.database, await api.submit());
    const artifact = (name: string, contentType: string) =>
      ({ kind: 'screenshot', name, contentType, body, bytes: body.byteLength }) as const;
    await storeInRun(api.database, job, [
      {
        position: 3,
        page: aPage(),
        artifacts: [artifact('screenshot.png', 'image/png'), artifact('page.html', 'text/html')],
        progress: { done: 1, total: 1, message: null },
        counts: { pages: 1, leads: 0, errors: 0 },
      },
    ]);
    path = `/api/v1/jobs/${job.id}/artifacts`;
  });

  test('is served with its own type, and never sniffed', async () => {
    const response = await fetch(`${api.url}${path}/3/screenshot.png`, {
      headers: { 'x-api-key': api.adminKey },
    });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(body);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': 'inline; filename="screenshot.png"',
      'x-content-type-options': 'nosniff',
    });
  });

  test('that a browser would execute is only downloaded', async () => {
    const answer = await api.ask('GET', `${path}/3/page.html`);
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="page.html"');
  });

  test.each([
    '3/pdf.pdf',
    '2/screenshot.png',
    'x/screenshot.png',
    '99999999999/screenshot.png',
    '3/%22%0d%0ax',
  ])('that does not exist is not found: %s', async (place) =>
    expectProblem(await api.ask('GET', `${path}/${place}`), 404, 'not_found'),
  );
});
