import { Problem } from './problem.ts';
import type { ApiRequest, ApiResponse } from './route.ts';

export const BODY_LIMIT = 100 * 1024;
export const BATCH_BODY_LIMIT = 10 * 1024 * 1024;
/** For the next part of a body to arrive; the whole request has a minute (`api/http/server.ts`). */
const IDLE_MS = 10_000;

/**
 * The bytes of a JSON body; empty where there is none. Not `express.json`: its charsets, inflating and parameters are a fifth of
 * the time of a POST, and we want none of them.
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
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new Problem(415, 'unsupported_media_type', 'expected a body without Content-Encoding');
  }
}

/** What is too much is left unread; Node drains it behind the answer, so that the client gets to see that. */
function receive(request: ApiRequest, limit: number, idleMs: number): Promise<Buffer> {
  const charge = (request.res as ApiResponse).locals.body;
  return new Promise((resolve, reject) => {
    const body = new GrowingBuffer();
    const fail = (error: unknown) => {
      clearTimeout(idle);
      request.off('data', take);
      // What still comes is dropped: unread, it would keep the connection from closing.
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

/** Not a list of chunks: those of a byte each would take a hundred times the body's own size. */
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
  // The rest may come at any time, or never: the next request needs a connection of its own.
  new Problem(408, 'request_timeout', 'the body did not arrive in time', {
    headers: { connection: 'close' },
  });
const tooLarge = (limit: number) =>
  new Problem(413, 'body_too_large', `expected a body of at most ${limit} bytes`);
