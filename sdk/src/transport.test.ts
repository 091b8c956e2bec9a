import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { LeadEngine } from './client.ts';
import { queryText } from './transport.ts';

/** What the server gets, and how its answers are understood: a real server with answers of the test. */

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serverWith(...answers: Answer[]) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const answer = answers[requests.length] ?? answers.at(-1);
    requests.push(request);
    request.resume().on('end', () => answer?.(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const engine = new LeadEngine({ url, apiKey: 'le_key', retry: { baseMs: 1 }, timeoutMs: 5000 });
  return { requests, engine, url };
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const reset: Answer = (request) => request.socket.destroy();

const accepted = json(202, { job_id: 'j' });

describe('a request', () => {
  test('carries the key', async () => {
    const { engine, requests } = await serverWith(json(200, {}));
    await engine.queue();
    expect(requests[0]?.headers.authorization).toBe('Bearer le_key');
    expect(requests[0]?.headers['idempotency-key']).toBeUndefined();
  });

  test('that creates something is repeated with the same Idempotency-Key until it is answered', async () => {
    const { engine, requests } = await serverWith(reset, json(503, {}), json(429, {}), accepted);
    await expect(engine.submit({ urls: ['https://example.com/'] })).resolves.toEqual({ job_id: 'j' });
    const keys = new Set(requests.map(({ headers }) => headers['idempotency-key']));
    expect([requests.length, keys.size]).toEqual([4, 1]);
    expect([...keys][0]).toMatch(/^[0-9a-f]{32}$/);
    await engine.submit({ urls: ['https://example.com/'] });
    expect(requests.at(-1)?.headers['idempotency-key']).not.toBe([...keys][0]);
    await engine.submit({ urls: ['https://example.com/'] }, { idempotencyKey: 'mine' });
    expect(requests.at(-1)?.headers['idempotency-key']).toBe('mine');
  });

  test('that is refused is an ApiError with everything the answer says', async () => {
    const errors = [{ path: 'urls.0', message: 'expected a URL' }];
    const problem = { code: 'invalid_request', detail: 'urls.0: expected a URL', errors, request_id: 'r' };
    const { engine, requests } = await serverWith(json(422, problem));
    await expect(engine.submit({ urls: ['x'] })).rejects.toMatchObject({
      ...{ name: 'ApiError', status: 422, code: 'invalid_request', message: problem.detail },
      ...{ errors, requestId: 'r' },
    });
    expect(requests).toHaveLength(1);
  });

  test('that a proxy refused is an ApiError too', async () => {
    const { engine } = await serverWith((_, response) => response.writeHead(413).end('<html>'));
    await expect(engine.queue()).rejects.toMatchObject({ status: 413, code: 'http_error' });
  });

  test('without a server is unreachable', async () => {
    const { url } = await serverWith(json(200, {}));
    for (const close of closing.splice(0)) close();
    const engine = new LeadEngine({ url, retry: { retries: 1, baseMs: 1 } });
    await expect(engine.queue()).rejects.toMatchObject({
      ...{ name: 'ConnectionError', code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') },
    });
  });

  test('that is not answered in time is a timeout, and one that is aborted has the reason', async () => {
    const { engine } = await serverWith(() => {});
    const timeout = { timeoutMs: 20 };
    const impatient = new LeadEngine({ url: engine.url, retry: { retries: 0 } });
    await expect(impatient.queue(timeout)).rejects.toMatchObject({ code: 'timeout' });
    const reason = new Error('enough');
    await expect(engine.queue({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const aborting = new AbortController();
    const waiting = engine.queue({ signal: aborting.signal });
    setTimeout(() => aborting.abort(reason), 20);
    await expect(waiting).rejects.toBe(reason);
  });

  test('answered with something else than JSON is reported', async () => {
    const { engine } = await serverWith((_, response) => response.end('hello'));
    await expect(engine.queue()).rejects.toMatchObject({ code: 'invalid_answer' });
  });
});

test('a page that its job could not load is an error with the page, and is not asked for again', async () => {
  const problem = { code: 'site_asked_to_wait', detail: 'the site asked to wait', job_id: 'j' };
  const page = { url: 'https://example.com/', error: { code: 'http_too_many_requests', message: '429' } };
  const { engine, requests } = await serverWith(
    json(503, problem, { 'retry-after': '0' }),
    json(200, { job_id: 'j', status: 'failed' }),
    json(200, { pages: [page], next_cursor: null }),
  );
  await expect(engine.scrape('https://example.com/')).rejects.toMatchObject({
    ...{ name: 'PageError', code: 'http_too_many_requests', page },
  });
  expect(requests.map(({ method, url }) => `${method} ${url?.replace(/\?.*/, '')}`)).toEqual([
    'POST /api/v1/scrape',
    'GET /api/v1/jobs/j',
    'GET /api/v1/jobs/j/pages',
  ]);
});

test('a page that takes long is waited for by its job', async () => {
  const page = { url: 'https://example.com/', error: null };
  const { engine } = await serverWith(
    json(202, { job_id: 'j' }),
    json(200, { job_id: 'j', status: 'running' }),
    json(200, { job_id: 'j', status: 'completed' }),
    json(200, { pages: [page], next_cursor: null }),
  );
  await expect(engine.scrape('https://example.com/')).resolves.toEqual(page);
});

test('lists are read part by part, only as far as they are wanted', async () => {
  const part = (id: string, next_cursor: string | null) => json(200, { jobs: [{ job_id: id }], next_cursor });
  const { engine, requests } = await serverWith(part('a', 'x'), part('b', 'y'), part('c', null));
  const ids: string[] = [];
  for await (const { job_id } of engine.jobs({
    status: ['failed', 'cancelled'],
    metadata: { team: 'a b' },
  })) {
    ids.push(job_id);
    if (ids.length === 2) break;
  }
  expect(ids).toEqual(['a', 'b']);
  const query = '?status=failed%2Ccancelled&metadata.team=a+b&limit=200';
  expect(requests.map(({ url }) => url)).toEqual([`/api/v1/jobs${query}`, `/api/v1/jobs${query}&cursor=x`]);
});

test('live events go on after a lost connection with the last id, and end with 204', async () => {
  const sse =
    (text: string): Answer =>
    (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text, () => response.destroy());
    };
  const { engine, requests } = await serverWith(
    sse('id: 1-0\n\n'),
    sse('id: 1-1\ndata: {"cursor":"1-1"}\n\nid: 1-2\nda'),
    reset,
    sse('id: 1-2\ndata: {"cursor":"1-2"}\n\n'),
    (_, response) => response.writeHead(204).end(),
  );
  const cursors: string[] = [];
  for await (const { cursor } of engine.events('job')) cursors.push(cursor);
  expect(cursors).toEqual(['1-1', '1-2']);
  expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([
    ...[undefined, '1-0', '1-1', '1-1', '1-2'],
  ]);
});

test.each([[{ url: 'example.com' }], [{ url: 'ftp://example.com' }]])('%j is no server', (options) => {
  expect(() => new LeadEngine(options)).toThrow(expect.objectContaining({ code: 'invalid_url' }));
});

test.each([
  ['http://a/', 'http://a'],
  ['http://a/engine/', 'http://a/engine'],
  ['http://a/api/v1/', 'http://a'],
])('%s is the server at %s', (url, base) => {
  expect(new LeadEngine({ url }).url).toBe(base);
});

test('a query leaves out what is undefined', () => {
  expect(queryText({ a: undefined, b: false, c: new Date(0) })).toBe(
    '?b=false&c=1970-01-01T00%3A00%3A00.000Z',
  );
  expect(queryText(undefined)).toBe('');
});
