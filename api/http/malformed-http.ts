import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem, problemBody } from './problem.ts';

/**
 * Answers a request that Node's parser refused or that timed out: there is no request or response
 * object, only a socket. The connection closes, because the start of a next request is unknown.
 */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Do not write into an answer that is half sent; Node's own handler checks the same field.
  const { _httpMessage: underWay } = socket as { _httpMessage?: ServerResponse };
  if (!socket.writable || error.code === 'ECONNRESET' || underWay?.headersSent) {
    socket.destroy();
    return;
  }
  answerOn(socket, problemOf(error.code));
}

/** Refuses `CONNECT`: this is not a proxy. */
export function refuseTunnel(socket: Duplex): void {
  socket.on('error', () => {});
  const headers = { allow: 'GET, HEAD, POST, PATCH, DELETE, OPTIONS' };
  answerOn(socket, new Problem(405, 'method_not_allowed', 'this server is no proxy', { headers }));
}

function answerOn(socket: Duplex, problem: Problem): void {
  const { status, headers, body } = answerTo(problem);
  const lines = Object.entries({ date: new Date().toUTCString(), ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`, () =>
    socket.destroy(),
  );
}

/**
 * What a proxy in front may read differently than Node's parser: HTTP/1.1 requires one valid `Host`
 * (RFC 9112, 3.2), of which Node keeps the first; and Node passes a body in another transfer coding
 * than `chunked` on as it is (RFC 9112, 6.1).
 */
export function framingProblem({ headers, rawHeaders, httpVersion }: IncomingMessage): Problem | null {
  const { host, 'transfer-encoding': coding } = headers;
  if (host === undefined) {
    if (httpVersion === '1.1') return malformed('the header Host is missing');
  } else {
    if (!HOST.test(host)) return malformed('the header Host is no host and port');
    if (isRepeated('host', rawHeaders)) return malformed('there is more than one header Host');
  }
  if (coding === undefined || coding.toLowerCase() === 'chunked') return null;
  return malformed('expected no other Transfer-Encoding than chunked');
}

const malformed = (detail: string) => new Problem(400, 'malformed_request', detail);

/** Empty for a target without an authority. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[^\s/?#@:,\\[\]]*)(?::\d*)?$/i;

function isRepeated(name: string, rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const given = rawHeaders[at] as string;
    if (given.length === name.length && given.toLowerCase() === name) count += 1;
  }
  return count > 1;
}

/** Closes the connection: where the next request begins is in doubt. */
export function refuseRequest(response: ServerResponse, problem: Problem): void {
  const { status, headers, body } = answerTo(problem);
  response.writeHead(status, headers);
  response.end(body);
}

/** For any `Expect` but `100-continue`, which Node answers itself. */
export const refuseExpectation = (response: ServerResponse): void =>
  refuseRequest(
    response,
    new Problem(417, 'expectation_failed', 'expected no other Expect than 100-continue'),
  );

function answerTo(problem: Problem) {
  const requestId = randomUUID();
  const body = JSON.stringify(problemBody(problem, { instance: undefined, requestId }));
  const headers = {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    connection: 'close',
    ...problem.extra.headers,
  };
  return { status: problem.status, headers, body };
}

/** By the error code: the parser's messages do not help clients. */
function problemOf(code: string | undefined): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem(431, 'headers_too_large', 'the request line and headers have more than 16 KB');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Problem(413, 'body_too_large', 'the extensions of the chunks have more than 16 KB');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(408, 'request_timeout', 'the request did not arrive in time');
    default:
      return new Problem(400, 'malformed_request', 'this is not HTTP/1.1');
  }
}
