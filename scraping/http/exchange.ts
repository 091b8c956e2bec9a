import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { effectiveContentType } from '../response/content-type.ts';
import {
  type BodyFraming,
  contentLength,
  framingOf,
  isChunked,
  listed,
  WireError,
} from '../wire/body-framing.ts';
import { HeadReader, type ResponseHeadFields } from '../wire/response-head.ts';

export interface WireRequest {
  origin: string;
  path: string;
  method: string;
  headers: Record<string, string>;
  body: string | Buffer | null;
  signal: AbortSignal;
}

export interface WireResponse {
  status: number;
  /** By lower-case name; several of one name joined with `, `, or the one that browsers use. */
  headers: Record<string, string>;
  setCookies: string[];
  body: Readable;
  /** Releases an unread body. */
  discard(): void;
}

/** The server closed the connection before it sent a byte. */
export class SocketHangUp extends Error {}

/**
 * Sends one request and resolves once the response head is read.
 * @param release called once, after the body has ended or was discarded, with how long the
 *   connection may be kept, in milliseconds
 * @throws SocketHangUp, WireError, or the socket's error
 */
export function exchange(
  socket: Socket,
  request: WireRequest,
  release: (keepMs: number) => void,
): Promise<WireResponse> {
  return new Promise((resolve, reject) => {
    const reader = new HeadReader();
    let answer: AnswerBody | undefined;
    let ended = false;

    const end = (keepMs: number) => {
      if (ended) return;
      ended = true;
      socket.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      request.signal.removeEventListener('abort', onAbort);
      release(keepMs);
    };
    const fail = (error: unknown) => {
      end(0);
      answer?.destroy(error as Error);
      reject(error);
    };
    const onData = (bytes: Buffer) => {
      try {
        if (answer) answer.receive(bytes);
        else readOn(bytes);
      } catch (error) {
        fail(error);
      }
    };
    const readOn = (bytes: Buffer) => {
      const reading = reader.push(bytes);
      if (reading.kind === 'incomplete') return;
      if (reading.kind === 'unreadable') throw new WireError('the answer is not HTTP');
      const { head, rest } = reading;
      const headers = headersOf(head);
      const framing = framingOf(head, request.method);
      const body = new AnswerBody(socket, framing, (isWhole) =>
        end(isWhole && !framing.hasMore ? keepAliveMs(head) : 0),
      );
      answer = body;
      const setCookies = head.fields.filter(([name]) => name === 'set-cookie').map(([, value]) => value);
      resolve({ status: head.status, headers, setCookies, body, discard: () => body.discard() });
      body.receive(rest);
    };
    const onEnd = () => {
      if (answer) answer.connectionEnded();
      else if (reader.isUntouched) fail(new SocketHangUp('the server hung up'));
      else fail(new WireError('the answer ended in its head'));
    };
    const onError = (error: Error) => fail(error);
    const onClose = () =>
      fail(answer ? new WireError('the connection was cut') : new SocketHangUp('the server hung up'));
    const onAbort = () => fail(request.signal.reason);

    socket.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
    if (socket.destroyed) return onClose();
    socket.resume();
    request.signal.addEventListener('abort', onAbort, { once: true });
    if (request.signal.aborted) return onAbort();
    try {
      send(socket, request);
    } catch (error) {
      fail(error);
    }
  });
}

/** A response body with backpressure. */
class AnswerBody extends Readable {
  #isOver = false;

  /** @param onOver called once: whether the body was whole */
  constructor(
    private readonly socket: Socket,
    private readonly framing: BodyFraming,
    private readonly onOver: (isWhole: boolean) => void,
  ) {
    super();
    // An error without a reader must not crash the process.
    this.on('error', () => {});
  }

  receive(bytes: Buffer): void {
    let isWanted = true;
    if (bytes.length > 0)
      for (const part of this.framing.take(bytes)) {
        if (part.length > 0) isWanted = this.push(part);
      }
    if (this.framing.isComplete) this.#over(true);
    else if (!isWanted) this.socket.pause();
  }

  connectionEnded(): void {
    if (this.framing.mayEnd()) this.#over(true);
    else this.destroy(new WireError('the connection ended in the middle of the body'));
  }

  /** Drains a short body to keep the connection; closes the connection for a longer one. */
  discard(): void {
    let left = DISCARDED_BYTES;
    const timer = setTimeout(() => this.destroy(), DISCARD_MS);
    this.once('close', () => clearTimeout(timer));
    this.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) this.destroy();
    });
  }

  override _read(): void {
    if (!this.#isOver) this.socket.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#isOver) {
      this.#isOver = true;
      this.onOver(false);
    }
    done(error);
  }

  #over(isWhole: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.push(null);
    this.onOver(isWhole);
  }
}

const DISCARDED_BYTES = 64 * 1024;
const DISCARD_MS = 2000;

function send(socket: Socket, { origin, path, method, headers, body }: WireRequest): void {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${origin.slice(origin.indexOf('//') + 2)}`,
    'connection: keep-alive',
  ];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${onWire(value)}`);
  const bytes = body === null ? null : Buffer.from(body);
  if (bytes || method === 'POST') lines.push(`content-length: ${bytes?.length ?? 0}`);
  if (lines.some((line) => /[\r\n\0]/.test(line)))
    throw new WireError('a header of the request has a line break');
  const head = `${lines.join('\r\n')}\r\n\r\n`;
  if (bytes) socket.write(Buffer.concat([Buffer.from(head, 'latin1'), bytes]));
  else socket.write(head, 'latin1');
}

/**
 * Latin-1 text, such as bytes received from the server, is sent unchanged; anything else as UTF-8.
 */
const onWire = (value: string): string =>
  /[^\0-\xff]/.test(value) ? Buffer.from(value).toString('latin1') : value;

const KEEP_ALIVE_MS = 15_000;

/** A second less than the server's timeout, so that a request does not cross its close. */
function keepAliveMs(head: ResponseHeadFields): number {
  if (!keepsAlive(head)) return 0;
  const hint = /\btimeout=(\d+)/i.exec(listed(head.fields, 'keep-alive').join())?.[1];
  return hint === undefined
    ? KEEP_ALIVE_MS
    : Math.min(KEEP_ALIVE_MS, Math.max(0, Number(hint) * 1000 - 1000));
}

function keepsAlive(head: ResponseHeadFields): boolean {
  const said = listed(head.fields, 'connection').map((token) => token.toLowerCase());
  const isFramedTwice = isChunked(head) && contentLength(head) !== null;
  const isAllowed = head.isCurrent ? !said.includes('close') : said.includes('keep-alive');
  return isAllowed && head.isRegular && !isFramedTwice;
}

/** @throws WireError for contradicting headers that browsers reject as an attack */
function headersOf(head: ResponseHeadFields): Record<string, string> {
  const headers: Record<string, string> = {};
  const types: string[] = [];
  for (const [name, value] of head.fields) {
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (MUST_AGREE.has(name) && before !== undefined && before !== value)
      throw new WireError(`several headers ${name} that differ`);
    if (name === 'content-type') types.push(value);
    headers[name] = before === undefined || MUST_AGREE.has(name) ? value : `${before}, ${value}`;
  }
  const type = effectiveContentType(types);
  if (type !== null) headers['content-type'] = type;
  // Chunked framing takes precedence over it.
  delete headers['content-length'];
  const lengths = isChunked(head) ? null : contentLength(head);
  if (lengths) headers['content-length'] = String(lengths.longest);
  return headers;
}

const MUST_AGREE = new Set(['location', 'content-disposition']);
