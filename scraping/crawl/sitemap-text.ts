import { isUtf8 } from 'node:buffer';
import { constants, createGunzip } from 'node:zlib';
import { sniffEncoding } from '../response/charset.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * A file's text in pieces, unpacked where it begins as gzip does and decoded as it says it is written.
 *
 * @param maxBytes unpacked; what is behind them is not read
 */
export async function* textChunks(
  body: Buffer,
  contentType: string | null,
  maxBytes: number,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let left = maxBytes;
  for await (const chunk of bytesOf(body)) {
    const part = chunk.subarray(0, left);
    left -= part.length;
    decoder ??= new TextDecoder(encodingOf(part, contentType));
    yield decoder.decode(part, { stream: true });
    if (left <= 0) return;
  }
}

async function* bytesOf(body: Buffer): AsyncGenerator<Buffer> {
  if (body[0] === 0x1f && body[1] === 0x8b) {
    // The flush makes a stream that was cut short give what it has.
    const unpacking = createGunzip({ chunkSize: CHUNK_BYTES, finishFlush: constants.Z_SYNC_FLUSH });
    unpacking.end(body);
    try {
      yield* unpacking;
    } catch (error) {
      // Broken in the middle: what came before is still worth having.
      if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    }
    return;
  }
  for (let at = 0; at < body.length; at += CHUNK_BYTES) yield body.subarray(at, at + CHUNK_BYTES);
}

/**
 * Of XML by its first bytes where these can only be UTF-16, else by what is declared; UTF-8 by default, as the protocol has it, where
 * the bytes can be that.
 */
function encodingOf(beginning: Buffer, contentType: string | null): string {
  const [first, second] = beginning;
  if (first === 0x3c && second === 0) return 'utf-16le';
  if (first === 0 && second === 0x3c) return 'utf-16be';
  // A character may be cut in two at the end.
  const whole = [0, 1, 2, 3].some((cut) => isUtf8(beginning.subarray(0, beginning.length - cut)));
  const encoding = sniffEncoding(beginning, contentType);
  return encoding === 'windows-1252' &&
    whole &&
    !/charset|encoding/i.test(declarationIn(beginning, contentType))
    ? 'utf-8'
    : encoding;
}

const declarationIn = (beginning: Buffer, contentType: string | null): string =>
  `${contentType ?? ''} ${beginning.subarray(0, 200).toString('latin1')}`;
