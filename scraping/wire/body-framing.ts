import type { ResponseHeadFields } from './response-head.ts';

/** How a body's end is known, and its bytes out of their wrapping. */
export interface BodyFraming {
  /** What of these bytes belongs to the body. @throws WireError where they are not what the head said */
  take(bytes: Buffer): Buffer[];
  /** Nothing more belongs to it. */
  readonly isComplete: boolean;
  /** Bytes came that do not belong to it. */
  readonly hasMore: boolean;
  /** Whether it may end here, with its connection. */
  mayEnd(): boolean;
}

/** What a server sent is not HTTP, or ends too early. */
export class WireError extends Error {}

/** @throws WireError for lengths and the like that contradict each other where browsers do not forgive it */
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
 * What the head says of the body's length, where it says so in numbers. Several that differ are rare: what came by the longest of them is
 * likely whole, and is never too little.
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

/** The values of a header that is a list, however often it stands there. */
export const listed = (fields: ResponseHeadFields['fields'], name: string): string[] =>
  fields.filter(([key]) => key === name).flatMap(([, value]) => value.split(',').map((item) => item.trim()));

/** @param least that is accepted where the connection ends before `length` */
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

/** Of the line with a chunk's size, its extensions included, and of trailers. */
const MAX_LINE_BYTES = 16 * 1024;
const MAX_TRAILER_BYTES = 256 * 1024;
/** A chunk's size in hexadecimal, then perhaps an extension that nobody knows. */
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
      // Leading zeros are nobody's overflow.
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
    // The last chunk was there; browsers miss the empty line behind it, and nobody else does.
    mayEnd: () => reading === 'trailer' || reading === 'done',
  };
}
