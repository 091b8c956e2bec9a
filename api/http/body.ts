import { Problem } from './problem.ts';
import type { ApiRequest, ApiResponse } from './route.ts';

export const BODY_LIMIT = 100 * 1024;
export const BATCH_BODY_LIMIT = 10 * 1024 * 1024;
/**
 * Maximum wait for the next chunk of a body; the whole request has a minute (`api/http/server.ts`).
 */
const IDLE_MS = 10_000;

/**
 * The bytes of a JSON body; empty if there is none. Not `express.json`: its charsets, inflating and
 * parameters take a fifth of a POST's time, and none of them is used.
 *
 * @throws Problem 400, 408, 413, 415 or 503
 */
export async function readBytes(request: ApiRequest, limit: number, idleMs = IDLE_MS): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  const chunked = request.headers['transfer-encoding'] !== undefined;
  if (announced === 0 || (!chunked && Number.isNaN(announced))) return Buffer.alloc(0);
  requireJson(request);
  if (announced > limit) throw tooLarge(limit);
  return receive(request, limit, idleMs);
}

function requireJson(request: ApiRequest): void {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new Problem(415, 'unsupported_media_type', 'expected Content-Type: application/json');
  }
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(type)?.[1] ?? 'utf-8';
  // Text of another charset may be valid UTF-8 by chance, and would be stored as other letters.
  if (!/^(?:utf-?8|us-ascii)$/i.test(charset)) {
    throw new Problem(415, 'unsupported_media_type', 'expected a body in UTF-8, without another charset');
  }
  const encoding = request.headers['content-encoding'] || 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new Problem(415, 'unsupported_media_type', 'expected a body without Content-Encoding', {
      headers: { 'accept-encoding': 'identity' },
    });
  }
}

/**
 * Stops at the limit; Node drains the rest after the answer, so that the client can read the
 * answer.
 */
function receive(request: ApiRequest, limit: number, idleMs: number): Promise<Buffer> {
  const charge = (request.res as ApiResponse).locals.body;
  return new Promise((resolve, reject) => {
    const body = new GrowingBuffer();
    const fail = (error: unknown) => {
      clearTimeout(idle);
      request.off('data', take);
      // Later chunks are discarded: unread, they would keep the connection open.
      request.resume();
      charge.release();
      reject(error);
    };
    const take = (chunk: Buffer) => {
      idle.refresh();
      try {
        if (body.length + chunk.length > limit) throw tooLarge(limit);
        charge.add(chunk.length);
        body.add(chunk);
      } catch (error) {
        fail(error);
      }
    };
    const idle = setTimeout(() => fail(tooSlow()), idleMs);
    request.on('data', take);
    request.on('end', () => {
      clearTimeout(idle);
      resolve(body.bytes());
    });
    request.on('error', () => fail(interrupted()));
    request.on('close', () => {
      if (!request.complete) fail(interrupted());
    });
  });
}

/** Not a list of chunks: one-byte chunks would take a hundred times the size of the body. */
class GrowingBuffer {
  length = 0;
  private buffer: Buffer = Buffer.alloc(0);

  add(chunk: Buffer): void {
    // Most bodies are one chunk.
    if (this.length === 0) {
      this.buffer = chunk;
      this.length = chunk.length;
      return;
    }
    const length = this.length + chunk.length;
    if (length > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    chunk.copy(this.buffer, this.length);
    this.length = length;
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}

const interrupted = () => new Problem(400, 'body_interrupted', 'the body ended early');
const tooSlow = () =>
  // The rest may still arrive, so the connection cannot be reused.
  new Problem(408, 'request_timeout', 'the body did not arrive in time', {
    headers: { connection: 'close' },
  });
const tooLarge = (limit: number) =>
  new Problem(413, 'body_too_large', `expected a body of at most ${limit} bytes`);
