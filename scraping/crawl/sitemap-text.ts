import { isUtf8 } from 'node:buffer';
import { constants, createGunzip } from 'node:zlib';
import { sniffEncoding } from '../response/charset.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * A file's text in chunks, unpacked if it starts with gzip's magic number and decoded by its
 * encoding.
 *
 * @param maxBytes limit for the unpacked bytes; the rest is ignored
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
    // With this flush a truncated stream gives what can be decoded.
    const unpacking = createGunzip({ chunkSize: CHUNK_BYTES, finishFlush: constants.Z_SYNC_FLUSH });
    unpacking.end(body);
    try {
      yield* unpacking;
    } catch (error) {
      // Corrupt data: the part before it is used.
      if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    }
    return;
  }
  for (let at = 0; at < body.length; at += CHUNK_BYTES) yield body.subarray(at, at + CHUNK_BYTES);
}

/**
 * UTF-16 by the first bytes of XML, else the declared encoding; by default UTF-8, as the protocol
 * defines, if the bytes are valid.
 */
function encodingOf(beginning: Buffer, contentType: string | null): string {
  const [first, second] = beginning;
  if (first === 0x3c && second === 0) return 'utf-16le';
  if (first === 0 && second === 0x3c) return 'utf-16be';
  // The chunk may end within a character.
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
