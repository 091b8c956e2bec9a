import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Answer, expectProblem, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const SCRAPE = '/api/v1/jobs/scrape';
const send = (raw: string | Uint8Array, headers: Record<string, string> = {}) =>
  api.ask('POST', SCRAPE, { raw, headers });
const scrape = (body: unknown) => api.ask('POST', SCRAPE, { body });
const pathsOf = (answer: Answer): string[] => answer.json.errors.map(({ path }: { path: string }) => path);
const URLS = { urls: ['https://example.com/'] };

function expectFieldErrors(answer: Answer, paths: string[]): void {
  expectProblem(answer, 422, 'invalid_request');
  expect(pathsOf(answer)).toEqual(paths);
  for (const { message } of answer.json.errors) expect(message).toEqual(expect.any(String));
}

describe('a body', () => {
  test.each(['{', 'nope', '{"urls":[}', "{'urls': 1}", '{"a":1}{"b":2}', ' '])(
    'that is not JSON is reported: %j',
    async (raw) => expectProblem(await send(raw), 400, 'malformed_json'),
  );

  test('that is not UTF-8 is reported', async () => {
    const raw = Buffer.concat([
      Buffer.from('{"industry":"'),
      Buffer.from([0xc3, 0x28, 0xff]),
      Buffer.from('"}'),
    ]);
    expectProblem(await send(raw), 400, 'malformed_json');
  });

  test.each(['null', '[]', '"text"', '1', 'true'])('that is no object is reported: %s', async (raw) => {
    expectFieldErrors(await send(raw), ['']);
  });

  test('that is empty is reported, with and without a content type', async () => {
    expectFieldErrors(await api.ask('POST', SCRAPE), ['']);
    expectFieldErrors(await send(''), ['']);
    expectFieldErrors(await scrape({}), ['']);
  });

  test.each<[string, Record<string, string>]>([
    ['text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['something like JSON', { 'content-type': 'application/jsonx' }],
    ['compressed', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
  ])('that is %s is not supported', async (_what, headers) => {
    expectProblem(await send(JSON.stringify(URLS), headers), 415, 'unsupported_media_type');
  });

  test.each(['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.leads+json'])(
    'may call itself %s',
    async (type) => expect((await send(JSON.stringify(URLS), { 'content-type': type })).status).toBe(202),
  );

  test('of more than 100 KB is refused, announced or not', async () => {
    const body = (bytes: number) => JSON.stringify({ ...URLS, metadata: { text: 'x'.repeat(bytes) } });
    expect((await send(body(100_000))).status).toBe(202);
    expectProblem(await send(body(103_000)), 413, 'body_too_large');
    expectProblem(await send(body(5_000_000)), 413, 'body_too_large');
    expect(await sendChunked(body(300_000))).toBe(413);
  });

  test('that never ends affects no other request', async () => {
    await new Promise<void>((resolve) => {
      const half = request(`${api.url}${SCRAPE}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${api.adminKey}`,
          'content-type': 'application/json',
          'content-length': 100,
        },
      });
      half.on('error', () => resolve());
      half.write('{"urls":', () => setTimeout(() => half.destroy(), 50));
    });
    expect((await scrape(URLS)).status).toBe(202);
  });
});

describe('a field', () => {
  test.each<[string, unknown, string[]]>([
    ['unknown', { ...URLS, colour: 'red', size: 1 }, ['colour', 'size']],
    ['unknown further down', { ...URLS, crawl: { max_page: 1 } }, ['crawl.max_page']],
    ['of the wrong type', { urls: 'https://example.com/' }, ['urls']],
    ['in a list', { urls: ['https://a/', 'ftp://b/', 'c'] }, ['urls.1', 'urls.2']],
    ['too small', { ...URLS, crawl: { max_pages: 0 } }, ['crawl.max_pages']],
    ['too large', { ...URLS, priority: 10 }, ['priority']],
    ['not a whole number', { ...URLS, priority: 1.5 }, ['priority']],
    ['of no format', { ...URLS, formats: ['markdown', 'docx'] }, ['formats.1']],
    ['a header that is none', { ...URLS, headers: { 'a b': 'x' } }, ['headers.a b']],
    ['a header of two lines', { ...URLS, headers: { a: 'x\r\nb: y' } }, ['headers.a']],
    [
      'an extract rule',
      { ...URLS, extract: { title: { selector: 'h1', css: 'h1' } } },
      ['extract.title.css'],
    ],
    [
      'an extract rule without its selector',
      { ...URLS, extract: { title: { many: true } } },
      ['extract.title.selector'],
    ],
    ['a moment no database keeps', { ...URLS, run_at: '0000-01-01T00:00:00Z' }, ['run_at']],
    ['a moment beyond the last year', { ...URLS, run_at: '9999-12-31T23:59:59-14:00' }, ['run_at']],
    ['several', { urls: [], priority: -1 }, ['urls', 'priority']],
    ['a selector that does not parse', { ...URLS, extract: { title: 'h1[' } }, ['extract.title']],
    [
      'a selector of an action',
      { ...URLS, actions: [{ type: 'click', selector: 'a >' }] },
      ['actions.0.selector'],
    ],
    ['a private address', { urls: ['https://a.example/', 'http://10.0.0.1/'] }, ['urls.1']],
    ['a private webhook', { ...URLS, webhook_url: 'http://[::ffff:a00:1]/' }, ['webhook_url']],
    ['a private proxy', { ...URLS, proxy: ['http://user:secret@0xa000001:3128'] }, ['proxy.0']],
  ])('that does not fit is named: %s', async (_what, body, paths) => {
    expectFieldErrors(await scrape(body), paths);
  });

  test('of a private address says which setting would allow it, and no password', async () => {
    const { json } = await scrape({ ...URLS, proxy: 'http://user:secret@0xa000001:3128' });
    expect(json.errors).toEqual([
      {
        path: 'proxy',
        message:
          '10.0.0.1 is not on the public internet (private): refused unless the operator allows it by EGRESS_ALLOW=10.0.0.1:3128',
      },
    ]);
    // The tests allow loopback.
    expect((await scrape({ urls: ['http://localhost:8080/', 'http://2130706433/'] })).status).toBe(202);
  });

  test.each([
    ['/api/v1/jobs/map', { url: 'http://169.254.169.254/' }, 'url'],
    [
      '/api/v1/jobs/batch',
      { jobs: [URLS, { urls: ['https://a.example/', 'http://10.1/'] }] },
      'jobs.1.urls.1',
    ],
    ['/api/v1/webhooks', { url: 'http://192.168.1.1/' }, 'url'],
    ['/api/v1/subscriptions', { events: ['*'], channel: 'webhook', target: 'http://[fd00::1]/' }, 'target'],
  ])('of a private address is refused by %s', async (path, body, field) => {
    expectFieldErrors(await api.ask('POST', path, { body }), [field]);
  });

  test.each<[string, string, string[]]>([
    ['__proto__', '{"urls":["https://a/"],"__proto__":{"a":1}}', ['__proto__']],
    ['__proto__ in metadata', '{"urls":["https://a/"],"metadata":{"__proto__":{}}}', ['metadata.__proto__']],
    ['constructor', '{"urls":["https://a/"],"constructor":{"prototype":{}}}', ['constructor']],
    ['NUL in a text', '{"industry":"den\\u0000tist"}', ['industry']],
    ['NUL in a URL', '{"urls":["https://a/\\u0000"]}', ['urls.0']],
    ['NUL in metadata', '{"urls":["https://a/"],"metadata":{"a":["\\u0000"]}}', ['metadata.a.0']],
    ['NUL in a name', '{"urls":["https://a/"],"filters":{"a\\u0000":1}}', ['filters']],
    ['half a surrogate pair', '{"urls":["https://a/"],"metadata":{"a":"\\ud800"}}', ['metadata.a']],
    ['the other half', '{"search_query":"\\udc00x"}', ['search_query']],
  ])('that the database could not store is refused: %s', async (_what, raw, paths) => {
    expectFieldErrors(await send(raw), paths);
  });

  test.each([
    ['lists', '['.repeat(50_000) + ']'.repeat(50_000)],
    ['objects', `${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}`],
  ])('nested thousands deep is refused: %s', async (_what, nested) => {
    const answer = await send(`{"urls":["https://a/"],"metadata":{"deep":${nested}}}`.slice(0, 102_400));
    expect([400, 422]).toContain(answer.status);
    const fits = await send(`{"urls":["https://a/"],"metadata":{"d":${nested.slice(0, 0)}${deep(45_000)}}}`);
    expectProblem(fits, 422, 'invalid_request');
    expect(pathsOf(fits)[0]).toMatch(/^metadata\.d\.0/);
  });

  test('nested to a plausible depth is stored', async () => {
    expect((await send(`{"urls":["https://a/"],"metadata":{"d":${deep(90)}}}`)).status).toBe(202);
  });

  test('is not reported beyond the hundredth error', async () => {
    const answer = await scrape({ urls: Array.from({ length: 1000 }, () => 'x') });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors).toHaveLength(100);
  });
});

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('a path', () => {
  test.each(['/', '/nothing', '/api/v1', '/api/v1/nothing', '/api/v1/jobs/1/2/3', '/api/v1/events/1'])(
    'that leads nowhere is not found: %s',
    async (path) => expectProblem(await api.ask('GET', path), 404, 'not_found'),
  );

  test.each([
    ['GET', '/api/v1/jobs/batch', 'POST'],
    ['GET', '/jobs/scrape', 'POST'],
    ['PUT', '/api/v1/jobs', 'GET, HEAD'],
    ['PUT', '/api/v1/jobs/x', 'GET, HEAD, DELETE'],
    ['PATCH', '/api/v1/keys', 'GET, HEAD, POST'],
    ['GET', '/api/v1/keys/x', 'PATCH, DELETE'],
    ['POST', '/health/live', 'GET, HEAD'],
  ])('lists its methods: %s %s', async (method, path, allow) => {
    const answer = await api.ask(method, path);
    expectProblem(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')).toBe(allow);
  });

  test.each(['/api/v1/jobs/%zz', '/%', '/api/v1/jobs?cursor=%ff', '/api/v1/jobs/%c3%28'])(
    'whose encoding is broken is reported: %s',
    async (path) => expectProblem(await api.ask('GET', path), 400, 'malformed_url'),
  );

  test('without parameters refuses them', async () => {
    const answer = await api.ask('POST', `${SCRAPE}?urls=x`, { body: URLS });
    expectFieldErrors(answer, ['urls']);
  });
});

describe('every answer', () => {
  test('has the request’s id, the client’s own if it is valid', async () => {
    const given = async (id: string) =>
      (await api.ask('GET', '/health/live', { headers: { 'x-request-id': id } })).headers.get('x-request-id');
    expect(await given('abc-123')).toBe('abc-123');
    for (const id of ['', 'with space', 'x'.repeat(129), 'ü']) {
      expect(await given(id)).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test('hides its server software and forbids sniffing', async () => {
    for (const path of ['/health/live', '/nothing', '/api/v1/jobs']) {
      const { headers } = await api.ask('GET', path);
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('to a request that is not HTTP closes the connection, and the server continues', async () => {
    const { port } = new URL(api.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('\0\0 nonsense\r\n\r\n'));
      socket.resume().on('close', () => resolve());
    });
    expect((await api.ask('GET', '/health/live')).status).toBe(200);
  });
});

/** Without a Content-Length: its length is known only after reading it. */
const sendChunked = (body: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const chunked = request(
      `${api.url}${SCRAPE}`,
      {
        method: 'POST',
        headers: {
          authorization: `Bearer ${api.adminKey}`,
          'content-type': 'application/json',
          'transfer-encoding': 'chunked',
        },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    chunked.on('error', reject);
    chunked.end(body);
  });
