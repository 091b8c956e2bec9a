import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const batch = (raw: string) =>
  api.ask('POST', '/api/v1/jobs/batch', { raw, headers: { 'content-type': 'application/json' } });
const scrape = (body: unknown) => api.ask('POST', '/api/v1/jobs/scrape', { body });
const URLS = ['https://example.com/'];
const times = (count: number, item: (index: number) => string) =>
  Array.from({ length: count }, (_, n) => item(n)).join();

describe('a batch of ten megabytes', () => {
  test.each<[string, () => string, string]>([
    ['five million zeros', () => `{"jobs":[${times(5_000_000, () => '0')}]}`, 'jobs'],
    ['zeros in one job', () => `{"jobs":[{"urls":[${times(4_900_000, () => '0')}]}]}`, 'jobs.0'],
    ['zeros beside the jobs', () => `{"jobs":[],"more":[${times(4_900_000, () => '0')}]}`, ''],
    ['a million names', () => `{"jobs":[{"metadata":{${times(700_000, (n) => `"k${n}":1`)}}}]}`, 'jobs.0'],
    ['a million names of its own', () => `{${times(700_000, (n) => `"k${n}":1`)}}`, ''],
    ['one text', () => `{"jobs":["${'x'.repeat(10_000_000)}"]}`, 'jobs.0'],
    ['one text of escapes', () => `{"jobs":["${'\\u00e9'.repeat(1_600_000)}"]}`, 'jobs.0'],
    ['one name', () => `{"${'x'.repeat(10_000_000)}":1}`, ''],
    ['one number', () => `{"jobs":[${'1'.repeat(10_000_000)}]}`, 'jobs.0'],
    ['brackets', () => '['.repeat(10_000_000), '0.0.0.0.0.0.0.0.0.0'],
  ])('is refused by its bounds: %s', async (_what, make, path) => {
    const answer = await batch(make());
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors).toEqual([{ path, message: expect.stringMatching(/^expected /) }]);
  });

  test('whose thousand jobs are all wrong reports a hundred errors', async () => {
    const answer = await batch(`{"jobs":[${times(1000, () => `{"urls":[${times(1000, () => '0')}]}`)}]}`);
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors).toHaveLength(100);
    expect(answer.json.errors[0].path).toBe('jobs.0.urls.0');
  });

  test('with a thousand valid jobs is accepted', async () => {
    const urls = Array.from({ length: 190 }, (_, n) => `https://example.com/${'x'.repeat(20)}/${n}`);
    const jobs = Array.from({ length: 1000 }, (_, n) => ({ urls, metadata: { n } }));
    const answer = await batch(JSON.stringify({ jobs }));
    expect(answer.status).toBe(202);
    expect(answer.json.jobs).toHaveLength(1000);
    const last = await api.ask('GET', `/api/v1/jobs/${answer.json.jobs[999].job_id}`);
    expect(last.json.spec.metadata).toEqual({ n: 999 });
  });
});

test.each<[string, unknown, string]>([
  ['urls', { urls: Array(40_000).fill(0) }, 'urls'],
  ['keywords', { keywords: Array(40_000).fill(0) }, 'keywords'],
  ['source_types', { urls: URLS, source_types: Array(40_000).fill(0) }, 'source_types'],
  ['formats', { urls: URLS, formats: Array(40_000).fill(0) }, 'formats'],
  ['actions', { urls: URLS, actions: Array(40_000).fill(0) }, 'actions'],
  ['cookies', { urls: URLS, cookies: Array(40_000).fill(0) }, 'cookies'],
  ['crawl.include', { urls: URLS, crawl: { include: Array(40_000).fill(0) } }, 'crawl.include'],
  [
    'filters.exclude_domains',
    { urls: URLS, filters: { exclude_domains: Array(40_000).fill(0) } },
    'filters.exclude_domains',
  ],
  [
    'headers',
    { urls: URLS, headers: Object.fromEntries(Array.from({ length: 6000 }, (_, n) => [`x-${n}`, ''])) },
    'headers',
  ],
  [
    'extract',
    { urls: URLS, extract: Object.fromEntries(Array.from({ length: 6000 }, (_, n) => [`x-${n}`, ''])) },
    'extract',
  ],
])('how many there are is asked before what they are: %s', async (_field, body, path) => {
  const answer = await scrape(body);
  expectProblem(answer, 422, 'invalid_request');
  expect(answer.json.errors.map((error: { path: string }) => error.path)).toEqual([path]);
});

describe('bodies that never arrive', () => {
  const open: Socket[] = [];
  afterAll(() => {
    for (const socket of open) socket.destroy();
  });

  /** Sends the head of a request, and no body. */
  const announce = async (method: string, path: string, header: string, key: string | null) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(api.url).port) });
    socket.on('error', () => {});
    open.push(socket);
    const authorization = key === null ? '' : `authorization: Bearer ${key}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${authorization}${header}\r\n\r\n`;
    await new Promise<void>((resolve) => socket.write(head, () => resolve()));
  };

  test.each<[string, string, string, string, boolean]>([
    ['a GET that announces a hundred megabytes', 'GET', '/api/v1/jobs', 'content-length: 100000000', true],
    ['chunked bodies without a chunk', 'POST', '/api/v1/jobs/batch', 'transfer-encoding: chunked', true],
    ['batches that are only announced', 'POST', '/api/v1/jobs/batch', 'content-length: 10000000', true],
    ['bodies without a key', 'POST', '/api/v1/jobs/batch', 'transfer-encoding: chunked', false],
    ['bodies of a stream', 'GET', '/api/v1/events', 'transfer-encoding: chunked', true],
  ])('do not block other clients: %s', async (_what, method, path, header, withKey) => {
    const { key } = await api.addUser();
    for (let n = 0; n < 20; n += 1) await announce(method, path, header, withKey ? key : null);
    expect((await scrape({ urls: URLS })).status).toBe(202);
    expect((await api.ask('POST', '/api/v1/jobs/scrape', { body: { urls: URLS }, key })).status).toBe(202);
  });
});

describe('JSON', () => {
  test('may begin with a byte order mark', async () => {
    const answer = await api.ask('POST', '/api/v1/jobs/scrape', {
      raw: `\ufeff${JSON.stringify({ urls: URLS })}`,
    });
    expect(answer.status).toBe(202);
  });

  test('with a syntax error is reported with line and column', async () => {
    const answer = await api.ask('POST', '/api/v1/jobs/scrape', { raw: '{\n  "urls": ["https://a/",]\n}' });
    expectProblem(answer, 400, 'malformed_json');
    expect(answer.json.detail).toContain('line 2, column 25');
  });

  test.each([
    ['a whole number no double holds', '{"order":{"id":9007199254740993}}', 'metadata.order.id'],
    ['a long decimal', '{"x":[0.12345678901234567890123]}', 'metadata.x.0'],
    ['one beyond all', '{"x":1e999}', 'metadata.x'],
    ['a name given twice', '{"x":1,"x":2}', 'metadata.x'],
  ])('that would come back changed is refused: %s', async (_what, metadata, path) => {
    const answer = await api.ask('POST', '/api/v1/jobs/scrape', {
      raw: `{"urls":["https://example.com/"],"metadata":${metadata}}`,
    });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe(path);
  });

  test.each([
    [{ url: URLS }, 'url', 'urls'],
    [{ urls: URLS, maxLeads: 1 }, 'maxLeads', 'max_leads'],
    [{ urls: URLS, crawl: { max_page: 1 } }, 'crawl.max_page', 'max_pages'],
    [{ urls: URLS, extract: { a: { selector: 'a', atribute: 'href' } } }, 'extract.a.atribute', 'attribute'],
    [{ urls: URLS, actions: [{ type: 'wait', secelector: 'a' }] }, 'actions.0.secelector', 'selector'],
    [{ urls: URLS, filters: { has_emial: true } }, 'filters.has_emial', 'has_email'],
  ])('with a misspelt field gets a suggestion: %j', async (body, path, meant) => {
    const answer = await scrape(body);
    expectProblem(answer, 422, 'invalid_request');
    const error = answer.json.errors.find((one: { path: string }) => one.path === path);
    expect(error.message).toContain(`\`${meant}\``);
  });
});
