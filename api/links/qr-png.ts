import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { create } from 'qrcode';

/** Quiet zone around the code, in modules. Readers need it. */
const MARGIN = 4;

/**
 * A QR code as a square PNG, `size` pixels wide, one bit per pixel. Not with the library's own
 * writer: for 2048 × 2048 it makes 17 MB of RGBA and compresses it on the event loop for most of a
 * second. This is half a megabyte, compressed in libuv's pool in 10 ms.
 */
export async function qrPng(text: string, size: number): Promise<Buffer> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // Bit depth 1, greyscale; all other fields are 0.
  header[8] = 1;
  const pixels = await packed(pixelsOf(text, size));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const packed = promisify(deflate);
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Rows, each after a zero byte (filter type none); a set bit is white. */
function pixelsOf(text: string, size: number): Buffer {
  const { modules } = create(text);
  const moduleAt = (pixel: number) =>
    Math.floor(((pixel + 0.5) * (modules.size + 2 * MARGIN)) / size) - MARGIN;
  const isDark = (row: number, column: number) =>
    Math.min(row, column) >= 0 && Math.max(row, column) < modules.size && modules.get(row, column) === 1;
  const length = 1 + Math.ceil(size / 8);
  const pixels = Buffer.alloc(length * size);
  for (let y = 0; y < size; y += 1) {
    const line = pixels.subarray(y * length, (y + 1) * length);
    const row = moduleAt(y);
    if (y > 0 && moduleAt(y - 1) === row) {
      pixels.copy(line, 0, (y - 1) * length, y * length);
      continue;
    }
    for (let x = 0; x < size; x += 1) {
      const at = 1 + (x >>> 3);
      if (!isDark(row, moduleAt(x))) line[at] = (line[at] ?? 0) | (0x80 >>> (x & 7));
    }
  }
  return pixels;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** CRC-32 as in PNG; `zlib.crc32` needs Node 20.15. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_OF_BYTE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
