import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Ignores an upgrade to an unsupported protocol and answers the plain request (RFC 9110, 7.8):
 * Java's HTTP client offers HTTP/2 with every first request. Node has detached the socket by then,
 * so it is passed back to the server as a new connection that starts with the request. Node 24 can
 * decide beforehand (`shouldUpgradeCallback`).
 */
export function answerWithoutUpgrade(
  server: Server,
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    const kept = /^connection$/i.test(name) ? withoutTokens(value) : value;
    if (!HOP.test(name) && (kept !== '' || value === '')) lines.push(`${name}: ${kept}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

const HOP = /^(?:upgrade|http2-settings)$/i;

const withoutTokens = (connection: string): string =>
  connection
    .split(',')
    .map((token) => token.trim())
    .filter((token) => !HOP.test(token))
    .join(', ');
