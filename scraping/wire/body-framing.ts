import type { ResponseHeadFields } from './response-head.ts';

/** Finds the end of a body and removes its framing. */
export interface BodyFraming {
  /** The part of these bytes that is body. @throws WireError if the framing is broken */
  take(bytes: Buffer): Buffer[];
  /** The body is complete. */
  readonly isComplete: boolean;
  /** There were bytes after the body. */
  readonly hasMore: boolean;
  /** Whether the body is acceptable if the connection ends now. */
  mayEnd(): boolean;
}

/** A response is not HTTP, or ends too early. */
export class WireError extends Error {}

/** Chooses the framing by method, status and headers. */
export function framingOf(head: ResponseHeadFields, method: string): BodyFraming {
  if (method === 'HEAD' || HAS_NO_BODY.has(head.status)) return withLength(0, 0);
  if (isChunked(head)) return chunked();
  const lengths = contentLength(head);
  return lengths ? withLength(lengths.longest, lengths.least) : untilClose();
}

const HAS_NO_BODY = new Set([204, 205, 304]);

export const isChunked = ({ isCurrent, fields }: ResponseHeadFields): boolean =>
  isCurrent && listed(fields, 'transfer-encoding').some((coding) => coding.toLowerCase() === 'chunked');

/**
 * The numeric `Content-Length` values. Different values in one response are rare: reading up to the
 * longest never truncates the body.
 */
export function contentLength({ fields }: ResponseHeadFields): { longest: number; least: number } | null {
  let longest = -1;
  let least = Number.POSITIVE_INFINITY;
  for (const value of listed(fields, 'content-length')) {
    const length = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(length)) continue;
    longest = Math.max(longest, length);
    least = Math.min(least, length);
  }
  return longest < 0 ? null : { longest, least };
}

/** The items of a list header, over all of its occurrences. */
export const listed = (fields: ResponseHeadFields['fields'], name: string): string[] =>
  fields.filter(([key]) => key === name).flatMap(([, value]) => value.split(',').map((item) => item.trim()));

/** @param least bytes that are accepted if the connection ends before `length` */
function withLength(length: number, least: number): BodyFraming {
  let left = length;
  let hasMore = false;
  return {
    take(bytes) {
      if (bytes.length > left) hasMore = true;
      const taken = bytes.length > left ? bytes.subarray(0, left) : bytes;
      left -= taken.length;
      return [taken];
    },
    get isComplete() {
      return left === 0;
    },
    get hasMore() {
      return hasMore;
    },
    mayEnd: () => length - left >= least && (least > 0 || left === 0),
  };
}

const untilClose = (): BodyFraming => ({
  take: (bytes) => [bytes],
  isComplete: false,
  hasMore: false,
  mayEnd: () => true,
});

/** Limit for a chunk-size line, extensions included, and for a trailer line. */
const MAX_LINE_BYTES = 16 * 1024;
const MAX_TRAILER_BYTES = 256 * 1024;
/** A chunk's size in hexadecimal, then an optional extension. */
const CHUNK_SIZE = /^([0-9a-f]{1,16}) *(?:;.*)?\r?$/i;
const LF = 10;

function chunked(): BodyFraming {
  let reading: 'size' | 'data' | 'end of data' | 'trailer' | 'done' = 'size';
  let left = 0;
  let line = '';
  let trailerBytes = 0;
  let hasMore = false;

  const endLine = (): void => {
    const whole = line;
    line = '';
    if (reading === 'end of data') {
      if (whole.trim() !== '') throw new WireError('a chunk is longer than it said');
      reading = 'size';
    } else if (reading === 'size') {
      // Leading zeros do not count as digits.
      const size = CHUNK_SIZE.exec(whole.replace(/^0+(?=[0-9a-f])/i, ''))?.[1];
      left = size === undefined ? Number.NaN : Number.parseInt(size, 16);
      if (!Number.isSafeInteger(left)) throw new WireError('a chunk has no size');
      reading = left === 0 ? 'trailer' : 'data';
    } else if (whole.trim() === '') reading = 'done';
  };

  return {
    take(bytes) {
      const taken: Buffer[] = [];
      let at = 0;
      while (at < bytes.length && reading !== 'done') {
        if (reading === 'data') {
          const part = bytes.subarray(at, at + left);
          taken.push(part);
          at += part.length;
          left -= part.length;
          if (left === 0) reading = 'end of data';
          continue;
        }
        const end = bytes.indexOf(LF, at);
        const to = end === -1 ? bytes.length : end;
        if (line.length + to - at > MAX_LINE_BYTES) throw new WireError('a line between chunks is too long');
        line += bytes.toString('latin1', at, to);
        if (reading === 'trailer') trailerBytes += to - at;
        if (trailerBytes > MAX_TRAILER_BYTES) throw new WireError('the trailers are too long');
        at = to + 1;
        if (end !== -1) endLine();
      }
      if (at < bytes.length) hasMore = true;
      return taken;
    },
    get isComplete() {
      return reading === 'done';
    },
    get hasMore() {
      return hasMore;
    },
    // After the last chunk only the final empty line is missing, which browsers accept.
    mayEnd: () => reading === 'trailer' || reading === 'done',
  };
}
