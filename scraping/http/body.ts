import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip, inflate, inflateRaw } from 'node:zlib';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { WireResponse } from './exchange.ts';

/** Node 20 cannot decode zstd, so it is not asked for; every server that has it has one of these too. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br';

/**
 * What comes of a body; `cut` is why it ended early.
 * @throws PageFailure `page_too_large` once more has come than is allowed, or is announced
 */
export function readBounded(
  { body, headers }: Pick<WireResponse, 'body' | 'headers'>,
  maxBytes: number,
): Promise<{ bytes: Buffer; cut: Error | null }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const end = (cut: Error | null) =>
      resolve({ bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, received), cut });
    const refuse = () => {
      reject(new PageFailure('page_too_large'));
      body.destroy();
    };
    if (Number(headers['content-length'] ?? 0) > maxBytes) return refuse();
    // Not `for await`, which costs as much as the rest of a small answer.
    body.on('end', () => end(null));
    body.on('error', end);
    body.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > maxBytes) refuse();
      else chunks.push(chunk);
    });
  });
}

/** More layers than any server has a reason for are an attack on the reader. */
const MAX_LAYERS = 3;

/**
 * Undoes `content-encoding`, off the event loop. What would come out larger than `maxBytes` is given up there, so that a few
 * kilobytes that unfold to gigabytes end the page and not the worker.
 *
 * @throws PageFailure `page_too_large`, or `connection_failed` for what is not in the encoding it claims
 */
export async function decodeBody(raw: Buffer, contentEncoding: string, maxBytes: number): Promise<Buffer> {
  const layers = contentEncoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (layers.length > MAX_LAYERS) throw new PageFailure('unsupported_content');
  let body = raw;
  for (const layer of layers.reverse()) {
    if (body.length > 0) body = await unfold(body, layer, maxBytes);
  }
  return body;
}

async function unfold(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  // The flush makes a stream that was cut short give what it has, as browsers do.
  const options = { maxOutputLength: maxBytes, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    switch (encoding) {
      case 'gzip':
      case 'x-gzip':
        // Some servers claim it of files that are not.
        return isGzip(body) ? await unlessEmpty(gunzipped, body, options) : body;
      case 'deflate':
        // The standard's zlib format, or the raw stream that some servers took it for.
        return ((body[0] ?? 0) & 0x0f) === 8
          ? await unlessEmpty(inflated, body, options)
          : await unlessEmpty(inflatedRaw, body, options);
      case 'br':
        return await unbrotlied(body, { maxOutputLength: maxBytes });
      default:
        throw new PageFailure('unsupported_content');
    }
  } catch (cause) {
    if (cause instanceof PageFailure) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw new PageFailure(
      code === 'ERR_BUFFER_TOO_LARGE' ? 'page_too_large' : 'connection_failed',
      undefined,
      {
        cause,
      },
    );
  }
}

/** Of what is cut short before anything can be read of it there is nothing to give: then it must be whole. */
async function unlessEmpty(decode: Unfold, body: Buffer, options: UnfoldOptions): Promise<Buffer> {
  const decoded = await decode(body, options);
  return decoded.length > 0 ? decoded : await decode(body, { maxOutputLength: options.maxOutputLength });
}

const isGzip = (body: Buffer) => body[0] === 0x1f && body[1] === 0x8b;

const gunzipped = promisify(gunzip) as Unfold;
const inflated = promisify(inflate) as Unfold;
const inflatedRaw = promisify(inflateRaw) as Unfold;
const unbrotlied = promisify(brotliDecompress) as Unfold;
type Unfold = (body: Buffer, options: UnfoldOptions) => Promise<Buffer>;

interface UnfoldOptions {
  maxOutputLength: number;
  finishFlush?: number;
}
