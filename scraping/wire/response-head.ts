/**
 * The head of an HTTP/1.x response, parsed as Chromium does: lenient and strict in the same places.
 * Strings are Latin-1, one character per byte.
 */
export interface ResponseHeadFields {
  status: number;
  /** HTTP/1.1 or later. A 1.0 response has no chunks and ends with its connection by default. */
  isCurrent: boolean;
  /** In order, names in lower case. */
  fields: [name: string, value: string][];
  /** Strictly valid. Otherwise the connection must not be reused. */
  isRegular: boolean;
}

export type HeadReading =
  | { kind: 'incomplete' }
  /** @property rest the first bytes of the body */
  | { kind: 'head'; head: ResponseHeadFields; rest: Buffer }
  /** Not HTTP, or too large. */
  | { kind: 'unreadable' };

/** As in Chromium. */
const MAX_HEAD_BYTES = 256 * 1024;

/**
 * Incremental reader of a response head. Interim responses (`100 Continue`, early hints, an
 * unrequested switch of protocols) are skipped.
 */
export class HeadReader {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Start of the current head. */
  #start = 0;
  /** Up to here there is no end of the head. */
  #searched = 0;

  /** No byte has arrived yet. */
  get isUntouched(): boolean {
    return this.#length === 0;
  }

  /** All bytes so far. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  push(bytes: Buffer): HeadReading {
    this.#append(bytes);
    for (;;) {
      const reading = this.#read();
      if (reading.kind !== 'head' || !isInterim(reading.head.status)) return reading;
      this.#start = this.#length - reading.rest.length;
      this.#searched = this.#start;
    }
  }

  #append(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (this.#length === 0) this.#bytes = bytes;
    else if (length > this.#bytes.length) {
      // Doubles the buffer: a server may send one byte at a time.
      const larger = Buffer.allocUnsafe(2 * length);
      this.bytes.copy(larger);
      this.#bytes = larger;
    }
    if (this.#length > 0) bytes.copy(this.#bytes, this.#length);
    this.#length = length;
  }

  #read(): HeadReading {
    const unread = this.bytes.subarray(this.#start);
    const start = startOfStatusLine(unread);
    if (start === 'unknown') return { kind: 'incomplete' };
    if (start === 'icy') {
      // Shoutcast servers; Chromium treats all of it as a body.
      const head = { status: 200, isCurrent: false, fields: [], isRegular: false };
      return { kind: 'head', head, rest: unread };
    }
    if (start === 'none') return { kind: 'unreadable' };
    const from = this.#start + start;
    const end = endOfHead(this.bytes, Math.max(from, this.#searched));
    // The last two bytes may be the start of the terminator.
    this.#searched = Math.max(from, this.#length - 2);
    if ((end === -1 ? this.#length : end) > MAX_HEAD_BYTES) return { kind: 'unreadable' };
    if (end === -1) return { kind: 'incomplete' };
    const text = this.bytes.toString('latin1', from, end);
    if (text.includes('\0')) return { kind: 'unreadable' };
    const head = parseHead(text);
    return {
      kind: 'head',
      head: { ...head, isRegular: head.isRegular && start === 0 },
      rest: this.bytes.subarray(end),
    };
  }
}

const isInterim = (status: number): boolean => status >= 100 && status < 200;

const ICY = 'icy ';
/** Bytes allowed before `HTTP`, such as a line end left from the previous response. */
const SLOP = 4;

function startOfStatusLine(bytes: Buffer): number | 'icy' | 'none' | 'unknown' {
  const beginning = bytes.toString('latin1', 0, SLOP + 4).toLowerCase();
  const found = beginning.indexOf('http');
  if (found !== -1) return found;
  if (beginning.startsWith(ICY)) return 'icy';
  return beginning.length < SLOP + 4 ? 'unknown' : 'none';
}

const LF = 10;
const CR = 13;

/** Offset after the empty line, which may end in LF alone; -1 if there is none yet. */
function endOfHead(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(LF, start); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

const REGULAR_STATUS = /^HTTP\/1\.[01] \d{3}(?: [^\r\n]*)?$/;
const REGULAR_FIELD = /^[!#$%&'*+.^_`|~0-9a-z-]+:/i;
const IRREGULAR_LINE_END = /\r(?!\n)|(?<!\r)\n/;

function parseHead(text: string): ResponseHeadFields {
  // A lone CR ends a line too.
  const [statusLine = '', ...lines] = text.split(/[\r\n]+/);
  const fields: ResponseHeadFields['fields'] = [];
  let isRegular = REGULAR_STATUS.test(statusLine) && !IRREGULAR_LINE_END.test(text);
  for (const line of unfolded(lines)) {
    if (line === '') continue;
    isRegular &&= REGULAR_FIELD.test(line);
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (name !== '') fields.push([name, line.slice(colon + 1).trim()]);
  }
  isRegular &&= !lines.some((line) => /^[ \t]/.test(line));
  return { status: statusOf(statusLine), isCurrent: isCurrent(statusLine), fields, isRegular };
}

/** Joins folded lines: a line that starts with a blank continues the previous one. */
function unfolded(lines: string[]): string[] {
  const whole: string[] = [];
  for (const line of lines) {
    if (/^[ \t]/.test(line) && whole.length > 0) whole.push(`${whole.pop()} ${line.trim()}`);
    else if (!/^[ \t]/.test(line)) whole.push(line);
    else whole.push(line.trim());
  }
  return whole;
}

const LARGEST_STATUS = 2 ** 31 - 1;

/** The number after the first space; 200 if there is none. */
function statusOf(statusLine: string): number {
  const digits = /^[^ ]* +(\d+)/.exec(statusLine)?.[1];
  return digits === undefined ? 200 : Math.min(Number(digits), LARGEST_STATUS);
}

function isCurrent(statusLine: string): boolean {
  const [, major = '0', minor = '0'] = /^http\/(\d)\.(\d)/i.exec(statusLine) ?? [];
  return Number(major) > 1 || (major === '1' && minor !== '0');
}
