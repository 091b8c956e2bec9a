import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { contentLength, isChunked } from '../wire/body-framing.ts';
import { HeadReader, type ResponseHeadFields } from '../wire/response-head.ts';
import type { ResponseMeter } from './proxy-client.ts';

/**
 * Relays plain HTTP through the egress proxy. The request is rewritten; the response is passed on
 * byte for byte, because the browser's parser is the most lenient and Node cannot write every head
 * it reads. So each connection carries one request, and the browser finds the end of the response.
 */
export function sendRequest(request: IncomingMessage, path: string, upstream: Socket): void {
  const lines = [`${request.method} ${path} HTTP/1.1`];
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!HOP_BY_HOP.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[i + 1]}`);
  }
  upstream.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`, 'latin1');
  // The request's end must not close the connection before the response.
  request.pipe(upstream, { end: false });
}

/** Passes on the response byte for byte, once its head is complete. */
export function relayAnswer(upstream: Socket, browser: Socket, meter: ResponseMeter): void {
  const reader = new HeadReader();
  let isPassing = false;
  let hasEnded = false;
  upstream.on('data', (bytes: Buffer) => {
    if (!meter.count(bytes.length)) upstream.destroy();
    if (isPassing || upstream.destroyed) return;
    const reading = reader.push(bytes);
    if (reading.kind === 'incomplete') return;
    // What is not HTTP is passed on too: the browser reports the error.
    if (reading.kind === 'head' && !mayPass(reading.head, meter)) return void upstream.destroy();
    isPassing = true;
    browser.write(reader.bytes);
    upstream.pipe(browser);
  });
  upstream.on('end', () => {
    // Browsers show a truncated head as an empty page.
    hasEnded = isPassing;
  });
  // A truncated response must not look complete to the browser.
  upstream.on('close', () => {
    if (hasEnded) browser.destroySoon();
    else browser.resetAndDestroy();
  });
  browser.on('close', () => upstream.destroy());
}

function mayPass(head: ResponseHeadFields, meter: ResponseMeter): boolean {
  // A site's 407 would make the browser drop its credentials for this proxy, for the whole context.
  if (head.status === PROXY_LOGIN_REQUIRED) return false;
  return isChunked(head) || meter.announce(contentLength(head)?.longest ?? 0);
}

const PROXY_LOGIN_REQUIRED = 407;

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
