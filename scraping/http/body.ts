import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip, inflate, inflateRaw } from 'node:zlib';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { WireResponse } from './connection-pools.ts';

/** Node 20 cannot decode zstd, so it is not asked for; every server that has it has one of these too. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br';

/** @throws PageFailure `page_too_large` once more has come than is allowed, or is announced */
export async function readBounded(
  { body, headers }: Pick<WireResponse, 'body' | 'headers'>,
  maxBytes: number,
): Promise<Buffer> {
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(body);
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received > maxBytes) throw tooLarge(body);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, received);
}

function tooLarge(body: WireResponse['body']): PageFailure {
  body.destroy();
  return new PageFailure('page_too_large');
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
        return isGzip(body) ? await gunzipped(body, options) : body;
      case 'deflate':
        // The standard's zlib format, or the raw stream that some servers took it for.
        return ((body[0] ?? 0) & 0x0f) === 8
          ? await inflated(body, options)
          : await inflatedRaw(body, options);
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

const isGzip = (body: Buffer) => body[0] === 0x1f && body[1] === 0x8b;

const gunzipped = promisify(gunzip) as Unfold;
const inflated = promisify(inflate) as Unfold;
const inflatedRaw = promisify(inflateRaw) as Unfold;
const unbrotlied = promisify(brotliDecompress) as Unfold;
type Unfold = (body: Buffer, options: { maxOutputLength: number; finishFlush?: number }) => Promise<Buffer>;
