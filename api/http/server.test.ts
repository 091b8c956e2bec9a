import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type HttpServer, listen } from './server.ts';

const start = (limits?: { headersMs: number; checkMs: number }): Promise<HttpServer> =>
  listen(
    (request, response) => {
      // The start of an answer that never ends.
      if (request.url === '/begun') response.write('begun');
      else response.end('fine');
    },
    { host: '127.0.0.1', port: 0 },
    undefined,
    limits,
  );

let server: HttpServer;
beforeEach(async () => {
  server = await start();
});
afterEach(() => server.stop(0));

/**
 * Sends bytes on a new connection, then more after a first reply; returns all that was received
 * until the close.
 */
const exchange = (bytes: string, more?: string): Promise<string> =>
  new Promise((resolve) => {
    let received = '';
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
    socket.setEncoding('utf8').on('data', (text) => {
      if (received === '' && more !== undefined) socket.write(more);
      received += text;
    });
    // Writes fail once the server has closed the connection.
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    socket.write(bytes);
  });

function problemIn(answer: string) {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(/^content-type: application\/problem\+json/m);
  expect(head).toMatch(/^connection: close/m);
  expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`);
  return { head, problem: JSON.parse(body) };
}

describe('what is not HTTP', () => {
  test.each([
    ['no request line', 'GARBAGE\r\n\r\n', 400, 'malformed_request'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01', 400, 'malformed_request'],
    ['a header without a name', 'GET / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n', 400, 'malformed_request'],
    [
      'two lengths of one body',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
      'malformed_request',
    ],
    ['two hosts', 'GET / HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n', 400, 'malformed_request'],
    ['a host that is a list', 'GET / HTTP/1.1\r\nhost: a, b\r\n\r\n', 400, 'malformed_request'],
    ['a host with a path', 'GET / HTTP/1.1\r\nhost: a/b\r\n\r\n', 400, 'malformed_request'],
    [
      'a body in another coding',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      400,
      'malformed_request',
    ],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400, 'malformed_request'],
    ['too long a header', `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ])('%s is answered with a problem', async (_what, bytes, status, code) => {
    const { head, problem } = problemIn(await exchange(bytes));
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(problem).toMatchObject({ type: 'about:blank', status, code });
    expect(head).toContain(`x-request-id: ${problem.request_id}`);
  });

  test.each(['', 'a:', 'A_b.example:80', '[::1]:80', '192.0.2.1', 'xn--a.example.'])(
    'a host %j is one',
    async (host) => {
      const answer = await exchange(`GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    },
  );

  test('a request that never ends times out', async () => {
    await server.stop(0);
    server = await start({ headersMs: 300, checkMs: 50 });
    const { head, problem } = problemIn(await exchange('GET / HTTP/1.1\r\nhost: a\r\n'));
    expect(head).toMatch(/^HTTP\/1\.1 408 /);
    expect(problem.code).toBe('request_timeout');
  });

  test('does not crash the server', async () => {
    await exchange('GARBAGE\r\n\r\n');
    expect(await (await fetch(server.url)).text()).toBe('fine');
  });

  test('closes a connection whose answer is half sent, and writes nothing more to it', async () => {
    const answer = await exchange('GET /begun HTTP/1.1\r\nhost: a\r\n\r\n', 'GARBAGE\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(answer).not.toContain('problem');
  });
});
