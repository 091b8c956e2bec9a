import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { contentLength, isChunked } from '../wire/body-framing.ts';
import { HeadReader, type ResponseHeadFields } from '../wire/response-head.ts';
import type { ResponseMeter } from './proxy-client.ts';

/**
 * Plain HTTP on its way through the egress proxy. The request is written anew; of the answer no byte is changed: the browser's own
 * parser is the most forgiving there is, and a head that Node would not write never comes near Node's writer. So a connection carries
 * one request, and where the answer ends is for the browser to see.
 */
export function sendRequest(request: IncomingMessage, path: string, upstream: Socket): void {
  const lines = [`${request.method} ${path} HTTP/1.1`];
  const { rawHeaders } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!HOP_BY_HOP.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[i + 1]}`);
  }
  upstream.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`, 'latin1');
  // Its end is no reason to hang up on a server that is still to answer.
  request.pipe(upstream, { end: false });
}

/** Hands on what the server says, byte for byte, from the moment its head is whole. */
export function relayAnswer(upstream: Socket, browser: Socket, meter: ResponseMeter): void {
  const reader = new HeadReader();
  let isPassing = false;
  let hasEnded = false;
  upstream.on('data', (bytes: Buffer) => {
    if (!meter.count(bytes.length)) upstream.destroy();
    if (isPassing || upstream.destroyed) return;
    const reading = reader.push(bytes);
    if (reading.kind === 'incomplete') return;
    // What is not HTTP the browser says better than we could.
    if (reading.kind === 'head' && !mayPass(reading.head, meter)) return void upstream.destroy();
    isPassing = true;
    browser.write(reader.bytes);
    upstream.pipe(browser);
  });
  upstream.on('end', () => {
    // Of a head cut short browsers make an empty page.
    hasEnded = isPassing;
  });
  // An answer cut short must look cut short to the browser too, and not like a whole one.
  upstream.on('close', () => {
    if (hasEnded) browser.destroySoon();
    else browser.resetAndDestroy();
  });
  browser.on('close', () => upstream.destroy());
}

function mayPass(head: ResponseHeadFields, meter: ResponseMeter): boolean {
  // To the browser it would be this proxy that refuses its login, which it then forgets, for all pages of its context.
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
