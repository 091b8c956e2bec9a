import { strFromU8, unzipSync, zipSync } from 'fflate';
import { PageFailure } from '../../../core/jobs/page-errors.ts';
import type { FileLimits } from './limits.ts';

/** The parts of a zipped document, by path. */
export class Archive {
  constructor(private readonly parts: Readonly<Record<string, Uint8Array>>) {}

  get paths(): string[] {
    return Object.keys(this.parts);
  }

  bytes(path: string): Uint8Array | null {
    return Object.hasOwn(this.parts, path) ? (this.parts[path] ?? null) : null;
  }

  /** Empty if there is no such part. */
  text(path: string): string {
    const bytes = this.bytes(path);
    if (bytes === null) return '';
    const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    return isWide
      ? new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-16be').decode(bytes)
      : strFromU8(bytes).replace(/^\ufeff/, '');
  }

  /** Repacked without compression, for libraries that would unpack without a bound. */
  stored(): Uint8Array {
    return zipSync(this.parts, { level: 0 });
  }
}

const MAX_PARTS = 10_000;

/**
 * Unpacks the text parts of a zipped document: not its pictures, fonts and macros.
 *
 * @throws PageFailure `page_too_large` before more than `limits.unpackedBytes` are unpacked, or
 *   `file_unreadable`
 */
export function openArchive(bytes: Uint8Array, limits: FileLimits): Archive {
  let unpacked = 0;
  let parts = 0;
  try {
    const entries = unzipSync(bytes, {
      // What an entry unpacks to is never more than it announces: fflate allocates that much.
      filter: ({ name, originalSize }) => {
        if (MEDIA.test(name)) return false;
        parts += 1;
        unpacked += originalSize;
        if (unpacked > limits.unpackedBytes || parts > MAX_PARTS)
          throw new PageFailure('page_too_large', 'the file unpacks to more than this installation accepts');
        return true;
      },
    });
    return new Archive(entries);
  } catch (cause) {
    if (cause instanceof PageFailure) throw cause;
    throw new PageFailure('file_unreadable', undefined, { cause });
  }
}

const MEDIA =
  /\.(png|jpe?g|gif|webp|bmp|tiff?|emf|wmf|wdp|svgz?|mp[34]|m4[av]|wav|avi|mov|ttf|otf|odttf|fntdata|woff2?|bin\.rels|vml)$|vbaProject\.bin$|^Thumbnails\//i;
