import { isExact } from './exact.ts';

/** An array field of the outermost object, whose items are parsed one by one, and its limits. */
export interface ItemLimits {
  field: string;
  maxItems: number;
  /** Per item, and of everything around the items. */
  maxBytes: number;
}

/**
 * Checks the text of a JSON body before it is parsed. `JSON.parse` takes seconds and gigabytes for
 * ten megabytes of zeros, often gives no position of a mistake, keeps the last of two fields with
 * one name, and rounds numbers that no double can hold. This stops at the first problem, and works
 * in slices, so that other requests run in between.
 */
export class JsonCheck {
  /** Start and end of each item of the field in `limits`. */
  readonly items: [begin: number, end: number][] = [];
  private at = 0;
  private expected: Expected = 'value';
  /** The open arrays and objects, outermost first. */
  private readonly open: Frame[] = [];
  private itemBegin: number | undefined;
  private itemBytes = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly limits?: ItemLimits,
  ) {}

  /**
   * @returns whether the whole text is checked
   * @throws JsonProblem
   */
  advance(bytes = Number.POSITIVE_INFINITY): boolean {
    const until = Math.min(this.bytes.length, this.at + bytes);
    while (this.at < until) {
      const byte = this.bytes[this.at] as number;
      if (byte === SPACE || byte === LF || byte === CR || byte === TAB) this.at += 1;
      else this.token(byte);
      if (this.limits) this.measure(this.limits);
    }
    if (this.at < this.bytes.length) return false;
    if (this.expected !== 'end') throw this.syntax();
    return true;
  }

  private token(byte: number): void {
    switch (this.expected) {
      case 'value or ]':
      case 'value':
        if (byte === CLOSE_ARRAY && this.expected === 'value or ]') this.close();
        else this.value(byte);
        break;
      case 'name or }':
      case 'name':
        if (byte === CLOSE_OBJECT && this.expected === 'name or }') this.close();
        else this.name(byte);
        break;
      case ':':
        if (byte !== COLON) throw this.syntax();
        this.at += 1;
        this.expected = 'value';
        break;
      case ', or ]':
      case ', or }':
        this.next(byte);
        break;
      case 'end':
        throw this.syntax();
      default:
        this.expected satisfies never;
    }
  }

  private value(byte: number): void {
    const frame = this.open.at(-1);
    if (frame) frame.count += 1;
    if (this.limits && this.open.length === 2 && this.isInField()) this.itemBegin = this.at;
    if (byte === QUOTE) this.string();
    else if (byte === MINUS || isDigit(byte)) this.number();
    else if (byte !== OPEN_OBJECT && byte !== OPEN_ARRAY) this.word(byte);
    else {
      this.begin(byte === OPEN_OBJECT);
      return;
    }
    this.ended();
  }

  private isInField(): boolean {
    const [outer, inner] = this.open;
    return outer?.isObject === true && outer.name === this.limits?.field && inner?.isObject === false;
  }

  private measure({ field, maxItems, maxBytes }: ItemLimits): void {
    if (this.itemBegin === undefined) {
      if (this.at - this.itemBytes > maxBytes) {
        throw this.refused(`expected at most ${maxBytes} bytes beside ${field}`, 0);
      }
      return;
    }
    const bytes = this.at - this.itemBegin;
    if (bytes > maxBytes) {
      throw this.refused(`expected at most ${maxBytes} bytes`, 2);
    }
    if (this.open.length > 2) return;
    if (this.items.length === maxItems) {
      throw this.refused(`expected at most ${maxItems}`, 1);
    }
    this.items.push([this.itemBegin, this.at]);
    this.itemBytes += bytes;
    this.itemBegin = undefined;
  }

  private begin(isObject: boolean): void {
    if (this.open.length >= MAX_DEPTH) throw this.refused(`expected at most ${MAX_DEPTH} levels of nesting`);
    this.open.push({ isObject, count: 0, name: '', names: undefined });
    this.at += 1;
    this.expected = isObject ? 'name or }' : 'value or ]';
  }

  private close(): void {
    this.open.pop();
    this.at += 1;
    this.ended();
  }

  private ended(): void {
    const frame = this.open.at(-1);
    this.expected = frame === undefined ? 'end' : frame.isObject ? ', or }' : ', or ]';
  }

  private next(byte: number): void {
    const { isObject } = this.open.at(-1) as Frame;
    if (byte === COMMA) {
      this.at += 1;
      this.expected = isObject ? 'name' : 'value';
    } else if (byte === (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) this.close();
    else throw this.syntax();
  }

  private name(byte: number): void {
    if (byte !== QUOTE) throw this.syntax();
    const frame = this.open.at(-1) as Frame;
    const begin = this.at;
    const escaped = this.string('expected field names without NUL characters and unpaired surrogates', true);
    const text = Buffer.from(this.bytes.buffer, this.bytes.byteOffset + begin + 1, this.at - begin - 2);
    frame.name = escaped ? JSON.parse(`"${text.toString()}"`) : text.toString();
    // zod silently drops it from a record, and the stored value must equal the one sent.
    if (frame.name === '__proto__') throw this.refused('expected another name than __proto__');
    frame.names ??= new Set();
    if (frame.names.has(frame.name)) throw this.refused('expected each name once, got this one twice');
    frame.names.add(frame.name);
    this.expected = ':';
  }

  /** @returns whether it contains escapes */
  private string(
    unstorable = 'expected text without NUL characters and unpaired surrogates',
    isName = false,
  ): boolean {
    const { bytes } = this;
    let escaped = false;
    for (let at = this.at + 1; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.at = at + 1;
        return escaped;
      }
      if (byte < SPACE) throw this.syntax(at, 'expected control characters escaped');
      if (byte !== BACKSLASH) continue;
      escaped = true;
      at += 1;
      if (bytes[at] !== LETTER_U) {
        if (!ESCAPES.has(bytes[at] as number))
          throw this.syntax(at - 1, 'expected an escape such as \\n or \\u00e9');
        continue;
      }
      const unit = this.unit(at + 1);
      at += 4;
      if (unit === 0 || isTrailing(unit))
        throw this.refused(unstorable, isName ? this.open.length - 1 : undefined);
      if (!isLeading(unit)) continue;
      // The low surrogate must follow directly; UTF-8 itself has no lone surrogates.
      if (bytes[at + 1] !== BACKSLASH || bytes[at + 2] !== LETTER_U || !isTrailing(this.unit(at + 3))) {
        throw this.refused(unstorable, isName ? this.open.length - 1 : undefined);
      }
      at += 6;
    }
    throw this.syntax(bytes.length, 'expected " at the end of a text');
  }

  private unit(at: number): number {
    let unit = 0;
    for (let place = at; place < at + 4; place += 1) {
      const digit = HEX_DIGITS[this.bytes[place] ?? 0] as number;
      if (digit === 255) throw this.syntax(place, 'expected four hexadecimal digits after \\u');
      unit = unit * 16 + digit;
    }
    return unit;
  }

  private number(): void {
    const begin = this.at;
    if (this.bytes[this.at] === MINUS) this.at += 1;
    if (this.bytes[this.at] === ZERO) this.at += 1;
    else this.digits();
    let plain = true;
    if (this.bytes[this.at] === DOT) {
      this.at += 1;
      this.digits();
    }
    if (this.bytes[this.at] === LETTER_E || this.bytes[this.at] === CAPITAL_E) {
      plain = false;
      this.at += 1;
      if (this.bytes[this.at] === PLUS || this.bytes[this.at] === MINUS) this.at += 1;
      this.digits();
    }
    // A double represents every decimal of up to fifteen digits.
    if (plain && this.at - begin <= 15) return;
    const text = Buffer.from(this.bytes.buffer, this.bytes.byteOffset + begin, this.at - begin).toString(
      'latin1',
    );
    if (!isExact(text)) {
      throw this.refused('expected a number that a double holds exactly; send longer ones as text');
    }
  }

  private digits(): void {
    const begin = this.at;
    while (isDigit(this.bytes[this.at])) this.at += 1;
    if (this.at === begin) throw this.syntax(begin, 'expected a digit');
  }

  private word(byte: number): void {
    const word = WORDS[String.fromCharCode(byte)];
    if (word === undefined) throw this.syntax();
    for (let place = 0; place < word.length; place += 1) {
      if (this.bytes[this.at + place] !== word.charCodeAt(place))
        throw this.syntax(this.at + place, `expected ${word}`);
    }
    this.at += word.length;
  }

  private syntax(at = this.at, message = EXPECTATIONS[this.expected]): JsonProblem {
    const before = Buffer.from(this.bytes.buffer, this.bytes.byteOffset, at);
    const lineBegin = before.lastIndexOf(LF) + 1;
    let line = 1;
    for (let place = before.indexOf(LF); place >= 0; place = before.indexOf(LF, place + 1)) line += 1;
    // Bytes that begin a character: an array of its characters would take a second for 10 MB.
    let column = 1;
    for (let place = lineBegin; place < at; place += 1) {
      if (((before[place] as number) & 0xc0) !== 0x80) column += 1;
    }
    const got = at >= this.bytes.length ? ', got the end of the body' : '';
    return new JsonProblem('syntax', [], `line ${line}, column ${column}: ${message}${got}`);
  }

  /** The path of the last value or name checked, or of what contains it. */
  private refused(message: string, levels = this.open.length): JsonProblem {
    const path = this.open
      .slice(0, Math.min(levels, 10))
      .map((frame) => (frame.isObject ? frame.name : frame.count - 1));
    return new JsonProblem('refused', path, message);
  }
}

/** `syntax`: not JSON. `refused`: JSON that cannot be stored unchanged. */
export class JsonProblem extends Error {
  override name = 'JsonProblem';

  constructor(
    readonly kind: 'syntax' | 'refused',
    readonly path: (string | number)[],
    message: string,
  ) {
    super(message);
  }
}

interface Frame {
  isObject: boolean;
  /** Values so far. */
  count: number;
  /** The last one. */
  name: string;
  names: Set<string> | undefined;
}

type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or ]' | ', or }' | 'end';

const EXPECTATIONS: Record<Expected, string> = {
  value: 'expected a value',
  'value or ]': 'expected a value or ]',
  name: 'expected a field name in double quotes',
  'name or }': 'expected a field name in double quotes or }',
  ':': 'expected : after a field name',
  ', or ]': 'expected , or ]',
  ', or }': 'expected , or }',
  end: 'expected nothing more',
};

/** Recursive readers (JSON.stringify, Postgres) fail at a depth of some thousands. */
const MAX_DEPTH = 100;

const WORDS: Record<string, string> = { t: 'true', f: 'false', n: 'null' };
const HEX_DIGITS = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[0-9a-f]/i.test(String.fromCharCode(byte)) ? Number.parseInt(String.fromCharCode(byte), 16) : 255,
);
const code = (character: string): number => character.charCodeAt(0);
const [SPACE, LF, CR, TAB] = [code(' '), code('\n'), code('\r'), code('\t')];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [code('{'), code('}'), code('['), code(']')];
const [COLON, COMMA, QUOTE, BACKSLASH] = [code(':'), code(','), code('"'), code('\\')];
const [MINUS, PLUS, DOT, ZERO] = [code('-'), code('+'), code('.'), code('0')];
const [LETTER_U, LETTER_E, CAPITAL_E] = [code('u'), code('e'), code('E')];
const ESCAPES: ReadonlySet<number> = new Set([...'"\\/bfnrt'].map(code));

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
const isLeading = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isTrailing = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
