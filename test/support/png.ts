/** Pixels, read from the header of a PNG. */
export function pngSize(png: Buffer | undefined): { width: number; height: number } {
  if (!png) throw new Error('no picture');
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}
