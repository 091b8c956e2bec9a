import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  aPage,
  begin,
  expectProblem,
  PUBLIC_URL,
  startApi,
  storePages,
  type TestApi,
} from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ corsOrigins: ['https://app.example.com', 'http://localhost:5173'] });
});
afterAll(() => api.stop());

/** Sends bytes on a connection of their own; returns what the server sent until it closed. */
const exchange = (text: string): Promise<string> =>
  new Promise((resolve) => {
    let received = '';
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(api.url).port) });
    socket.setEncoding('utf8').on('data', (part) => {
      received += part;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    socket.write(text);
  });
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const lines = (...text: string[]): string => `${text.join('\r\n')}\r\n\r\n`;
const H2C = [
  'Connection: Upgrade, HTTP2-Settings',
  'Upgrade: h2c',
  'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
];

describe('an upgrade to an unsupported protocol is ignored', () => {
  test('without a body', async () => {
    const answer = await exchange(
      lines('GET /health/live HTTP/1.1', 'Host: a', ...H2C) +
        lines('GET /health/live HTTP/1.1', 'Host: a', 'Connection: close'),
    );
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(answer.match(/{"status":"alive"}/g)).toHaveLength(2);
  });

  test.each(['content-length', 'chunked'])('with a body, %s', async (framing) => {
    const body = JSON.stringify({ urls: ['https://example.com/'], metadata: { text: 'ü'.repeat(20_000) } });
    const bytes = Buffer.byteLength(body);
    const head = ['POST /jobs/scrape HTTP/1.1', 'Host: a', `Authorization: Bearer ${api.adminKey}`];
    const type = ['Content-Type: application/json', 'Connection: Upgrade, close', 'Upgrade: h2c, foo/2'];
    const sent =
      framing === 'chunked'
        ? `${lines(...head, ...type, 'Transfer-Encoding: chunked')}${bytes.toString(16)}\r\n${body}\r\n0\r\n\r\n`
        : lines(...head, ...type, `Content-Length: ${bytes}`) + body;
    const answer = await exchange(sent);
    expect(statusOf(answer)).toBe(202);
    expect(answer).toMatch(/^connection: close/im);
  });

  test.each(['TLS/1.0', 'HTTP/3, h2c', 'websockets'])('to %s', async (protocol) => {
    const answer = await exchange(
      lines('GET /health/live HTTP/1.1', 'Host: a', 'Connection: close, Upgrade', `Upgrade: ${protocol}`),
    );
    expect(statusOf(answer)).toBe(200);
  });

  test('and an upgrade to a WebSocket is accepted at its path, however the path is spelled', async () => {
    for (const [target, protocols] of [
      ['/api/v1/live', 'WebSocket'],
      ['/api/v1/live/', 'websocket'],
      ['http://a/api/v1/live', 'websocket'],
      ['/api/v1/live', 'h2c, websocket'],
    ]) {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(api.url).port) });
      const first = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
      socket.write(
        lines(
          ...[
            `GET ${target} HTTP/1.1`,
            'Host: a',
            'Connection: keep-alive, Upgrade',
            `Upgrade: ${protocols}`,
          ],
          ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
        ),
      );
      expect(statusOf(await first)).toBe(101);
      socket.destroy();
    }
  });
});

describe('an upgrade to a WebSocket', () => {
  const HANDSHAKE = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  const upgrade = (request: string, ...headers: string[]) =>
    exchange(
      lines(
        ...[`${request} HTTP/1.1`, 'Host: a', `X-API-Key: ${api.adminKey}`],
        ...['Connection: Upgrade, close', 'Upgrade: websocket', ...headers],
      ),
    );

  test('needs a handshake, else the answer is a problem', async () => {
    for (const headers of [[], HANDSHAKE.slice(0, 1), [...HANDSHAKE, 'Sec-WebSocket-Protocol: ,']]) {
      const answer = await upgrade('GET /api/v1/live', ...headers);
      expect(statusOf(answer)).toBe(400);
      expect(answer).toContain('"code":"malformed_request"');
    }
    expect(statusOf(await upgrade('POST /api/v1/live', ...HANDSHAKE, 'Content-Length: 0'))).toBe(405);
  });
});

describe('a body', () => {
  const URLS = { urls: ['https://example.com/'] };
  const post = (headers: Record<string, string>) =>
    api.ask('POST', '/api/v1/jobs/scrape', { body: URLS, headers });

  test.each([
    'application/json; charset=UTF-8',
    'application/json;charset="utf-8"',
    'application/json; charset=utf8',
    'application/json; charset=us-ascii',
    'application/vnd.api+json; profile="a; charset"',
  ])('may be %s', async (type) => expect((await post({ 'content-type': type })).status).toBe(202));

  test.each([
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-16',
    'application/json; Charset="windows-1252"',
    'text/plain',
  ])('may not be %s', async (type) =>
    expectProblem(await post({ 'content-type': type }), 415, 'unsupported_media_type'),
  );

  test.each(['gzip', 'br', 'identity, gzip'])('may not be packed: %s', async (encoding) => {
    const answer = await post({ 'content-encoding': encoding });
    expectProblem(answer, 415, 'unsupported_media_type');
    expect(answer.headers.get('accept-encoding')).toBe('identity');
  });
});

describe('a request target', () => {
  const get = (target: string, method = 'GET') =>
    exchange(
      lines(`${method} ${target} HTTP/1.1`, 'Host: a', `X-API-Key: ${api.adminKey}`, 'Connection: close'),
    );

  test.each([
    'http://a/health/live',
    'HTTPS://a:443/health/live?x',
    'http://a/api/v1/jobs',
    '/api/v1/jobs/',
    '/API/v1/jobs',
  ])('may be written %s', async (target) => expect(statusOf(await get(target))).toBe(200));

  test('may be the server itself', async () => {
    const answer = await get('*', 'OPTIONS');
    expect(statusOf(answer)).toBe(204);
    expect(answer).toMatch(/^allow: GET, HEAD/im);
    const refused = await get('*');
    expect(statusOf(refused)).toBe(400);
    expect(refused).toContain('* is for OPTIONS alone');
  });

  test('may not be another server', async () => {
    const answer = await exchange(lines('CONNECT example.com:443 HTTP/1.1', 'Host: example.com:443'));
    expect(statusOf(answer)).toBe(405);
    expect(answer).toContain('"code":"method_not_allowed"');
    expect(answer).toMatch(/^allow: GET, HEAD/im);
  });

  test('with another Expect header is refused', async () => {
    const answer = await exchange(
      lines('GET / HTTP/1.1', 'Host: a', 'Expect: the-unexpected', 'Connection: close'),
    );
    expect(statusOf(answer)).toBe(417);
    expect(answer).toContain('"code":"expectation_failed"');
  });
});

describe('a short link', () => {
  const make = async (body: Record<string, unknown>): Promise<string> =>
    (await api.ask('POST', '/api/v1/links', { body })).json.code;
  /** Not `fetch`, which would normalize the path. */
  const visit = (path: string) =>
    new Promise<{ status: number | undefined; location: string | undefined }>((resolve, reject) => {
      const { hostname, port } = new URL(api.url);
      httpRequest({ hostname, port, path }, (response) => {
        response.resume();
        resolve({ status: response.statusCode, location: response.headers.location });
      })
        .on('error', reject)
        .end();
    });

  test('is found however its path is spelled', async () => {
    const code = await make({ url: 'https://example.com/' });
    const percent = `%${code.charCodeAt(0).toString(16)}${code.slice(1)}`;
    for (const path of [
      ...[`/r/${code}/`, `/r//${code}`, `//r/${code}`, `//r//${code}//?x=1`, `/r/${percent}`, `/%72/${code}`],
      ...[
        `/r%2F${code}`,
        `/R/${code}`,
        `/r/${code.toUpperCase()}`,
        `/R/${code.toUpperCase()}/`,
        `http://a/r/${code}`,
      ],
    ]) {
      expect({ path, ...(await visit(path)) }).toEqual({
        path,
        status: 302,
        location: 'https://example.com/',
      });
    }
    for (const path of [`/r/${code}%2B`, `/r/${code}+/`, `/${code.toUpperCase()}+`, `/r/${code}+?x`]) {
      expect({ path, ...(await visit(path)) }).toEqual({ path, status: 200, location: undefined });
    }
    for (const path of [
      '/r',
      '/r/',
      '/r//',
      '/r/%00',
      '/r/%',
      '/r/%ff',
      `/r/${code}/more`,
      '/r/__proto__',
      '/r/%2e%2e',
    ]) {
      expect({ path, ...(await visit(path)) }).toEqual({ path, status: 404, location: undefined });
    }
  });

  test('with a custom code is case-sensitive', async () => {
    await make({ url: 'https://example.com/upper', code: 'ABCDEFGH' });
    expect((await visit('/r/ABCDEFGH')).location).toBe('https://example.com/upper');
    expect((await visit('/r/abcdefgh')).status).toBe(404);
    await make({ url: 'https://example.com/lower', code: 'abcdefgh' });
    expect((await visit('/r/ABCDEFGH')).location).toBe('https://example.com/upper');
    expect((await visit('/r/aBcdefgh')).location).toBe('https://example.com/lower');
  });

  test('to a shared result redirects there from every spelling', async () => {
    const jobId = await api.submit();
    await storePages(api.database, await begin(api.database, jobId), [aPage()]);
    const code = await make({ share: true, job_id: jobId });
    expect((await visit(`/r/${code}`)).location).toBe(`../share/${code}`);
    const preview = await api.ask('GET', `/r/${code}+/`, { key: null });
    expect(preview.text).toContain(`href="${PUBLIC_URL}/share/${code}"`);
    for (const path of [`/r/${code}/`, `//r//${code}`, `/R/${code.toUpperCase()}`]) {
      expect((await visit(path)).location).toBe(`${PUBLIC_URL}/share/${code}`);
    }
    expect((await visit(`/share/${code.toUpperCase()}`)).status).toBe(200);
  });
});

describe('pages of other origins', () => {
  const preflight = (origin: string) =>
    api.ask('OPTIONS', '/api/v1/jobs/scrape', {
      key: null,
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,idempotency-key',
      },
    });

  test.each(['https://app.example.com', 'http://localhost:5173'])(
    'that are named may call: %s',
    async (origin) => {
      const answer = await preflight(origin);
      expect(answer.status).toBe(204);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-methods': expect.stringContaining('POST'),
        'access-control-allow-headers': 'authorization,content-type,idempotency-key',
        vary: expect.stringContaining('Origin'),
      });
      for (const path of ['/api/v1/jobs', '/api/v1/nothing']) {
        const got = await api.ask('GET', path, { headers: { origin } });
        expect(got.headers.get('access-control-allow-origin')).toBe(origin);
        expect(got.headers.get('access-control-expose-headers')).toContain('Retry-After');
      }
    },
  );

  test.each([
    'https://evil.example',
    'https://app.example.com.evil.example',
    'null',
    'http://app.example.com',
  ])('that are not may not: %s', async (origin) => {
    expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
    const got = await api.ask('GET', '/api/v1/jobs', { headers: { origin } });
    expect(got.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('answers', () => {
  test('are compressed for clients that accept it, without loss', async () => {
    const id = await api.submit();
    const job = await begin(api.database, id);
    await storePages(
      api.database,
      job,
      Array.from({ length: 300 }, (_, n) => aPage({ title: `${n} ${'x'.repeat(5000)}` })),
    );
    for (const format of ['json', 'ndjson']) {
      const path = `/api/v1/jobs/${id}/pages?limit=300&format=${format}`;
      const plain = await api.ask('GET', path, { headers: { 'accept-encoding': 'identity' } });
      const packed = await api.ask('GET', path, { headers: { 'accept-encoding': 'gzip' } });
      expect(plain.headers.get('content-encoding')).toBeNull();
      expect(packed.headers.get('content-encoding')).toBe('gzip');
      expect(packed.headers.get('vary')).toContain('Accept-Encoding');
      expect(packed.text).toBe(plain.text);
    }
  });

  test('that are event streams are not', async () => {
    const gone = new AbortController();
    const response = await fetch(`${api.url}/api/v1/events`, {
      headers: {
        authorization: `Bearer ${api.adminKey}`,
        'accept-encoding': 'gzip',
        accept: 'text/event-stream',
      },
      signal: gone.signal,
    });
    expect(response.headers.get('content-encoding')).toBeNull();
    gone.abort();
  });
});
