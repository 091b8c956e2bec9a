import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Answers a request that asks for a protocol nobody speaks here as if it had not asked, as RFC 9110 (7.8) wants it: Java's HTTP client
 * offers HTTP/2 with every first request. Node has let go of the connection by then, body and all, so it is handed back as a new one,
 * with the request at its beginning. Node 24 can be asked beforehand (`shouldUpgradeCallback`).
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
