import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip, inflate, inflateRaw } from 'node:zlib';
import { Decompress } from 'fzstd';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { WireResponse } from './exchange.ts';

/** Without zstd, which Node 20 cannot decode; servers that support it support one of these too. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br';

/**
 * Reads a body; `cut` is why it ended early.
 * @throws PageFailure `page_too_large` if more than `maxBytes` arrive or are announced
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
    // It may have ended before anything listens: a short body's fault is known with its head.
    if (body.errored) return end(body.errored);
    // Not `for await`, which costs as much as the rest of a small response.
    body.on('end', () => end(null));
    body.on('error', end);
    body.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > maxBytes) refuse();
      else chunks.push(chunk);
    });
  });
}

/** No server needs more layers: they are an attack. */
const MAX_LAYERS = 3;

/**
 * Decodes `content-encoding`, off the event loop. Decoding stops at `maxBytes`, so that a few
 * kilobytes that unpack to gigabytes fail the page and not the worker. Unknown names (`UTF-8`,
 * `none`, `aws-chunked`) are ignored.
 *
 * @throws PageFailure `page_too_large`, or `connection_failed` if the body is not in the named
 *   encoding
 */
export async function decodeBody(raw: Buffer, contentEncoding: string, maxBytes: number): Promise<Buffer> {
  const layers = contentEncoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim().replace(/^x-/, ''))
    .filter((name) => Object.hasOwn(DECODERS, name));
  if (layers.length > MAX_LAYERS) throw undecodable(`${layers.length} encodings of one another`);
  let body = raw;
  for (const layer of layers.reverse()) {
    if (body.length > 0) body = await unfold(body, layer as keyof typeof DECODERS, maxBytes);
  }
  return body;
}

/** Decodes gzip that no header announces: files served compressed, or compressed twice. */
export async function decodeUnannouncedGzip(body: Buffer, maxBytes: number): Promise<Buffer> {
  let plain = body;
  for (let layers = 0; isGzip(plain); layers += 1) {
    if (layers === MAX_LAYERS) throw undecodable('gzip within gzip');
    plain = await unfold(plain, 'gzip', maxBytes);
  }
  return plain;
}

type Decode = (body: Buffer, maxBytes: number) => Promise<Buffer>;

const DECODERS: Readonly<Record<'gzip' | 'deflate' | 'br' | 'zstd', Decode>> = {
  gzip: (body, maxBytes) => unlessEmpty(gunzipped, body, zlibOptions(maxBytes)),
  // The standard means the zlib format; some servers send a raw deflate stream.
  deflate: async (body, maxBytes) => {
    if (!isZlib(body)) return await unlessEmpty(inflatedRaw, body, zlibOptions(maxBytes));
    return await unlessEmpty(inflated, body, zlibOptions(maxBytes)).catch((error: unknown) => {
      if (isTooLarge(error)) throw error;
      return unlessEmpty(inflatedRaw, body, zlibOptions(maxBytes));
    });
  },
  br: (body, maxBytes) => unbrotlied(body, { maxOutputLength: maxBytes }),
  zstd: (body, maxBytes) => unzstd(body, maxBytes),
};

async function unfold(body: Buffer, encoding: keyof typeof DECODERS, maxBytes: number): Promise<Buffer> {
  const actual = encoding === 'br' ? encoding : (encodingByMark(body) ?? encoding);
  if (actual === 'gzip' && !isGzip(body)) return plainOr(body, actual);
  try {
    return await DECODERS[actual](body, maxBytes);
  } catch (cause) {
    if (isTooLarge(cause)) throw new PageFailure('page_too_large', undefined, { cause });
    return plainOr(body, actual, cause);
  }
}

/** The actual encoding by its magic number: servers mislabel them. Brotli has none. */
function encodingByMark(body: Buffer): keyof typeof DECODERS | null {
  if (isGzip(body)) return 'gzip';
  if (isZstd(body)) return 'zstd';
  return isZlib(body) ? 'deflate' : null;
}

/** The body as it is, if it is text: servers name encodings of plain bodies. */
function plainOr(body: Buffer, encoding: string, cause?: unknown): Buffer {
  const isText = !body
    .subarray(0, 1445)
    .some((byte) => byte < 9 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32));
  if (isText) return body;
  throw undecodable(encoding, cause);
}

const undecodable = (encoding: string, cause?: unknown) =>
  new PageFailure('connection_failed', `the answer is not in the encoding it claims: ${encoding}`, { cause });

const isTooLarge = (error: unknown) =>
  (error as NodeJS.ErrnoException | null)?.code === 'ERR_BUFFER_TOO_LARGE' ||
  (error instanceof PageFailure && error.code === 'page_too_large');

const isGzip = (body: Buffer) => body[0] === 0x1f && body[1] === 0x8b && body[2] === 8;
const isZlib = ([method = 0, flags = 0]: Buffer) =>
  (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0;
const isZstd = (body: Buffer) => body.length >= 4 && body.readUInt32LE(0) === 0xfd2fb528;

/** With this flush a truncated stream gives what can be decoded, as in browsers. */
const zlibOptions = (maxBytes: number) => ({
  maxOutputLength: maxBytes,
  finishFlush: constants.Z_SYNC_FLUSH,
});
const gunzipped = promisify(gunzip) as Unfold;
const inflated = promisify(inflate) as Unfold;
const inflatedRaw = promisify(inflateRaw) as Unfold;
const unbrotlied = promisify(brotliDecompress) as Unfold;
type Unfold = (body: Buffer, options: UnfoldOptions) => Promise<Buffer>;

interface UnfoldOptions {
  maxOutputLength: number;
  finishFlush?: number;
}

/** If a truncated body gives no output, it is decoded strictly, which fails with the reason. */
async function unlessEmpty(decode: Unfold, body: Buffer, options: UnfoldOptions): Promise<Buffer> {
  const decoded = await decode(body, options);
  return decoded.length > 0 ? decoded : await decode(body, { maxOutputLength: options.maxOutputLength });
}

const ZSTD_PIECE = 64 * 1024;
/** The largest window of the web (RFC 9659); the decoder allocates whatever a frame names. */
const ZSTD_WINDOW = 8 * 1024 * 1024;

/**
 * Not requested, but some servers send it anyway. Decoded in pieces, to yield to the event loop.
 */
async function unzstd(body: Buffer, maxBytes: number): Promise<Buffer> {
  if (zstdWindow(body) > Math.max(ZSTD_WINDOW, maxBytes)) throw new PageFailure('page_too_large');
  const chunks: Uint8Array[] = [];
  let length = 0;
  const decoder = new Decompress((chunk) => {
    length += chunk.length;
    if (length > maxBytes) throw new PageFailure('page_too_large');
    chunks.push(chunk);
  });
  for (let at = 0; at < body.length; at += ZSTD_PIECE) {
    decoder.push(body.subarray(at, at + ZSTD_PIECE), at + ZSTD_PIECE >= body.length);
    await setImmediate();
  }
  return Buffer.concat(chunks, length);
}

/** Window size of the first frame's header (RFC 8878, 3.1.1.1). */
function zstdWindow(body: Buffer): number {
  const descriptor = body[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  if (!isSingleSegment) {
    const window = body[5] ?? 0;
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  const sizeBytes = [1, 2, 4, 8][descriptor >> 6] ?? 1;
  const from = 5 + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  if (body.length < from + sizeBytes) return 0;
  if (sizeBytes === 8) return Number(body.readBigUInt64LE(from));
  return body.readUIntLE(from, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}
