import { inflateSync } from 'node:zlib';
import { create } from 'qrcode';
import { qrPng } from './qr-png.ts';

const TEXT = 'https://lead.example.com/r/abcdef';

test.each([64, 300, 2048])('a code of %i pixels shows every module, and white around them', async (size) => {
  const png = await qrPng(TEXT, size);
  expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([size, size]);
  const dark = pixelsOf(png, size);
  const { modules } = create(TEXT);
  const width = modules.size + 8;
  const wrong: string[] = [];
  for (let row = 0; row < width; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const [inRow, inColumn] = [row - 4, column - 4];
      const isInside = [inRow, inColumn].every((place) => place >= 0 && place < modules.size);
      const expected = isInside && modules.get(inRow, inColumn) === 1;
      const middle = (place: number) => Math.floor(((place + 0.5) * size) / width);
      if (dark(middle(column), middle(row)) !== expected) wrong.push(`${row}/${column}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('its checksums are valid', async () => {
  const png = await qrPng(TEXT, 64);
  // The IEND chunk is the same in every PNG.
  expect(png.subarray(-12).toString('hex')).toBe('0000000049454e44ae426082');
});

test('the largest has one bit per pixel', async () => {
  expect(inflateSync(dataOf(await qrPng(TEXT, 2048))).length).toBe(2048 * (1 + 2048 / 8));
});

function dataOf(png: Buffer): Buffer {
  const at = png.indexOf('IDAT');
  return png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4));
}

function pixelsOf(png: Buffer, size: number): (x: number, y: number) => boolean {
  const lines = inflateSync(dataOf(png));
  const length = 1 + Math.ceil(size / 8);
  return (x, y) => (((lines[y * length + 1 + (x >>> 3)] ?? 0) >>> (7 - (x & 7))) & 1) === 0;
}
