import { isUtf8 } from 'node:buffer';
import { Problem } from './problem.ts';
import type { ApiRequest } from './route.ts';

export const BODY_LIMIT = 100 * 1024;
export const BATCH_BODY_LIMIT = 10 * 1024 * 1024;

/**
 * The request's JSON, and how many bytes it took; `undefined` where there is no body. Not `express.json`: its charsets,
 * inflating and parameters are a fifth of the time of a POST, and we want none of them.
 */
export async function readJson(
  request: ApiRequest,
  limit: number,
): Promise<{ json: unknown; bytes: number }> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced === 0) return { json: undefined, bytes: 0 };
  const chunked = request.headers['transfer-encoding'] !== undefined;
  if (!chunked && Number.isNaN(announced)) return { json: undefined, bytes: 0 };
  requireJson(request);
  if (announced > limit) throw tooLarge(limit);
  const body = await readBytes(request, limit);
  return { json: body.length === 0 ? undefined : parse(body), bytes: body.length };
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
function readBytes(request: ApiRequest, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) reject(tooLarge(limit));
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on('error', () => reject(interrupted()));
    request.on('close', () => {
      if (!request.complete) reject(interrupted());
    });
  });
}

function parse(body: Buffer): unknown {
  // A decoder would put replacement characters where the bytes are wrong, and store what nobody sent.
  if (!isUtf8(body)) throw malformed('the body is not UTF-8');
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw malformed('the body is not JSON');
  }
}

const malformed = (detail: string) => new Problem(400, 'malformed_json', detail);
const interrupted = () => new Problem(400, 'body_interrupted', 'the body ended early');
const tooLarge = (limit: number) =>
  new Problem(413, 'body_too_large', `expected a body of at most ${limit} bytes`);
