import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { decodeBody, decodeUnannouncedGzip } from './body.ts';

const TEXT = 'Water runs down. '.repeat(100);
const plain = Buffer.from(TEXT);
const decoded = async (body: Buffer, encoding: string, maxBytes = 1e6) =>
  (await decodeBody(body, encoding, maxBytes)).toString();

/** A zstd file: one block that repeats a byte 1,000,000 times. */
const zstdBomb = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0x40, 0x42, 0x0f, 0x00, ...repeated(1_000_000)]);

function repeated(size: number): number[] {
  const blocks: number[] = [];
  for (let left = size; left > 0; left -= 128 * 1024) {
    const length = Math.min(left, 128 * 1024);
    const head = (length << 3) | 2 | (left <= 128 * 1024 ? 1 : 0);
    blocks.push(head & 0xff, (head >> 8) & 0xff, (head >> 16) & 0xff, 0x61);
  }
  return blocks;
}

describe('a body', () => {
  it.each<[string, Buffer]>([
    ['', plain],
    ['identity', plain],
    ['UTF-8', plain],
    ['none', plain],
    ['aws-chunked', plain],
    ['gzip', gzipSync(plain)],
    ['X-Gzip', gzipSync(plain)],
    ['gzip, none', gzipSync(plain)],
    ['utf-8,gzip', gzipSync(plain)],
    ['deflate', deflateSync(plain)],
    ['deflate', deflateRawSync(plain)],
    ['br', brotliCompressSync(plain)],
    ['br, gzip', gzipSync(brotliCompressSync(plain))],
    ['gzip, gzip', gzipSync(gzipSync(plain))],
    ['gzip, gzip', gzipSync(plain)],
    ['gzip', plain],
    ['deflate', plain],
    ['br', plain],
    ['zstd', plain],
    ['gzip', deflateSync(plain)],
    ['deflate', gzipSync(plain)],
  ])('in "%s" is decoded: %#', async (encoding, body) => {
    expect(await decoded(body, encoding)).toBe(TEXT);
  });

  it('in zstd is decoded, up to the limit', async () => {
    expect(await decoded(zstdBomb, 'zstd', 1_000_000)).toBe('a'.repeat(1_000_000));
    await expect(decoded(zstdBomb, 'zstd', 999_999)).rejects.toMatchObject({ code: 'page_too_large' });
    const wideWindow = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x03, 0x00, 0x00, 0x61]);
    await expect(decoded(wideWindow, 'zstd')).rejects.toMatchObject({ code: 'page_too_large' });
  });

  it.each(['gzip', 'deflate', 'br'])('in %s that decodes to more than the limit fails', async (encoding) => {
    const pack = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }[encoding] ?? gzipSync;
    const bomb = pack(Buffer.alloc(2_000_000));
    await expect(decoded(bomb, encoding)).rejects.toMatchObject({ code: 'page_too_large' });
  });

  it.each(['gzip', 'deflate', 'br', 'zstd'])('that is neither %s nor text is an error', async (encoding) => {
    await expect(decoded(Buffer.alloc(100, 3), encoding)).rejects.toMatchObject({
      code: 'connection_failed',
      message: `the answer is not in the encoding it claims: ${encoding}`,
    });
  });

  it('in more than three layers is an error', async () => {
    await expect(decoded(plain, 'gzip,gzip,gzip,gzip')).rejects.toMatchObject({ code: 'connection_failed' });
  });

  it('with unannounced gzip is decoded, up to the limit', async () => {
    expect(await decodeUnannouncedGzip(plain, 1e6)).toBe(plain);
    expect((await decodeUnannouncedGzip(gzipSync(gzipSync(plain)), 1e6)).toString()).toBe(TEXT);
    await expect(decodeUnannouncedGzip(gzipSync(Buffer.alloc(2e6)), 1e6)).rejects.toMatchObject({
      code: 'page_too_large',
    });
  });
});
