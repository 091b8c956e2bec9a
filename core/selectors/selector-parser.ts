import { nearestName } from '../suggest.ts';

/** What an engine accepts; the grammar is that of CSS Selectors 4. */
export interface Dialect {
  /** Pseudo-classes without an argument, and the name to write them by. */
  plain: ReadonlyMap<string, string>;
  /** Pseudo-classes with an argument, and the name to write them by. */
  functions: ReadonlyMap<string, { argument: Argument; name: string }>;
  /** Pseudo-classes that exist, but not in this engine; why not. */
  unsupported: ReadonlyMap<string, string>;
  /** `> a` at the start; `inHas` at the start of the argument of `:has`. */
  leadingCombinator: { atStart: boolean; inHas: boolean };
  /** `[a=1 2]`: a value that is neither quoted nor an identifier. And `!=`, and the flag `s`. */
  looseValues: boolean;
  /** `*|a`. */
  namespaces: boolean;
  /** `:nth-child(2 of .a)`. */
  nthOf: boolean;
  /** How deep parentheses may nest. */
  maxDepth: number;
}

type Argument =
  | 'selectors'
  | 'relative selectors'
  | 'nth'
  | 'name'
  | 'names'
  | 'text'
  /** Playwright's: strings only, or selectors and numbers. */
  | 'strings'
  | 'selectors and numbers';

/** The entries of `plain` for these names, separated by blanks. */
export const named = (names: string): [string, string][] => names.split(' ').map((name) => [name, name]);

/** The entries of `functions` for these names, separated by blanks. */
export const taking = (
  argument: Argument,
  names: string,
  written?: string,
): [string, { argument: Argument; name: string }][] =>
  names.split(' ').map((name) => [name, { argument, name: written ?? name }]);

export type ParsedSelector =
  /** `text` is the selector in one notation: no comments, one blank between parts, values quoted. */
  { kind: 'selector'; text: string } | { kind: 'wrong'; problem: string };

/** One pass from left to right, so time is linear in the length. */
export function parseSelector(selector: string, dialect: Dialect): ParsedSelector {
  const parser = new SelectorParser(selector, dialect);
  try {
    return { kind: 'selector', text: parser.whole() };
  } catch (error) {
    if (error instanceof Wrong) return { kind: 'wrong', problem: error.message };
    throw error;
  }
}

class Wrong extends Error {}

/** Sticky: each is tried at the place of the parser. */
const BLANK = /(?:[ \t\r\n\f]|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)+/y;
const IDENTIFIER =
  /(?!-?[0-9])(?:\\(?:[^0-9A-Fa-f\r\n\f]|[0-9A-Fa-f]{1,6}[\r\n\t\f ]?)|[\u00a0-\uffff]|[-_a-zA-Z0-9])+/y;
const STRING = /"(?:\\[\s\S]|[^"\\\r\n\f])*"|'(?:\\[\s\S]|[^'\\\r\n\f])*'/y;
const OPERATOR = /[~|^$*!]?=/y;
const LOOSE_VALUE = /(?:\\[\s\S]|[^\]"'\\])+/y;
const NTH = /(?:even|odd|[+-]?[0-9]*n(?:\s*[+-]\s*[0-9]+)?|[+-]?[0-9]+)(?![-\w])/iy;
const NUMBER = /[+-]?[0-9]*\.?[0-9]+(?![-\w])/y;
const LOOSE_TEXT = /[^()"']+/y;
const COMBINATOR = /[>+~]/y;
const ESCAPE = /\\([0-9A-Fa-f]{1,6})/g;

const LEGACY_PSEUDO_ELEMENTS: ReadonlySet<string> = new Set([
  'before',
  'after',
  'first-line',
  'first-letter',
]);
const OF_JQUERY: ReadonlySet<string> = new Set(
  'first last eq gt lt even odd button input checkbox radio submit reset password file image text header parent hidden visible selected animated'.split(
    ' ',
  ),
);

class SelectorParser {
  #at = 0;
  #out = '';
  #depth = 0;

  constructor(
    private readonly text: string,
    private readonly dialect: Dialect,
  ) {}

  whole(): string {
    this.#list(this.dialect.leadingCombinator.atStart);
    if (this.#at < this.text.length) throw this.#unexpected();
    return this.#out;
  }

  #list(relative: boolean): void {
    this.#complex(relative);
    while (this.#eat(',')) {
      this.#out += ', ';
      this.#complex(relative);
    }
  }

  /** Compound selectors and the combinators between them. */
  #complex(relative: boolean): void {
    this.#match(BLANK);
    const first = this.#match(COMBINATOR);
    if (first !== null) {
      if (!relative) {
        this.#at -= first.length;
        throw this.#wrong(`expected an element before ${first}`);
      }
      this.#out += `${first} `;
      this.#match(BLANK);
    }
    this.#compound();
    for (;;) {
      const blank = this.#match(BLANK) !== null;
      const combinator = this.#match(COMBINATOR);
      if (combinator !== null) {
        this.#out += ` ${combinator} `;
        this.#match(BLANK);
      } else if (this.#at >= this.text.length || this.#next() === ',' || this.#next() === ')') return;
      else if (blank) this.#out += ' ';
      else throw this.#unexpected();
      this.#compound();
    }
  }

  #compound(): void {
    const start = this.#at;
    this.#tagName();
    for (;;) {
      const next = this.#next();
      if (next === '#' || next === '.') {
        this.#at += 1;
        this.#out += next;
        this.#identifier(next === '#' ? 'an id' : 'a class name');
      } else if (next === '[') this.#attribute();
      else if (next === ':') this.#pseudo();
      else break;
    }
    if (this.#at === start) {
      throw this.#at >= this.text.length || /[,)]/.test(this.#next())
        ? this.#wrong('expected an element, such as a, .class, #id or [attribute]')
        : this.#unexpected();
    }
  }

  #tagName(): void {
    const name = this.#match(IDENTIFIER) ?? (this.#eat('*') ? '*' : null);
    if (name === '-') throw this.#wrong('expected a tag name');
    // `*|a` is `a` of any namespace, which is what `a` means in HTML.
    const isNamespace = this.#next() === '|' && this.text[this.#at + 1] !== '|';
    if (!isNamespace) {
      if (name !== null) this.#out += this.#checked(name);
      return;
    }
    if (name !== '*' || !this.dialect.namespaces) throw this.#wrong('expected no namespace');
    this.#at += 1;
    if (this.#eat('*')) this.#out += '*';
    else this.#identifier('a tag name');
  }

  #attribute(): void {
    this.#at += 1;
    this.#out += '[';
    this.#match(BLANK);
    this.#identifier('the name of an attribute');
    this.#match(BLANK);
    const operator = this.#match(OPERATOR);
    if (operator !== null) {
      if (operator === '!=' && !this.dialect.looseValues) {
        this.#at -= 2;
        throw this.#wrong('expected = (or :not([…]))');
      }
      this.#out += operator;
      this.#match(BLANK);
      this.#attributeValue();
    }
    if (!this.#eat(']')) throw this.#wrong('expected ]');
    this.#out += ']';
  }

  #attributeValue(): void {
    let value = this.#match(STRING);
    if (value === null) {
      if (this.#next() === '"' || this.#next() === "'") throw this.#wrong('the quote does not end');
      const start = this.#at;
      const bare = this.#match(this.dialect.looseValues ? LOOSE_VALUE : IDENTIFIER);
      if (bare === null) throw this.#wrong('expected a value in quotes');
      // The blank and the flag after it are no part of the value.
      value = bare.replace(/(?:\s+[is])?\s*$/i, '');
      this.#at = start + value.length;
      value = `"${value}"`;
    }
    this.#out += this.#checked(value);
    const blank = this.#match(BLANK) !== null;
    const flag = this.#next().toLowerCase();
    if (
      (blank || /["']$/.test(this.text[this.#at - 1] ?? '')) &&
      (flag === 'i' || (flag === 's' && this.dialect.looseValues))
    ) {
      this.#at += 1;
      // `s` is what is compared by anyway.
      if (flag === 'i') this.#out += ' i';
      this.#match(BLANK);
    }
  }

  #pseudo(): void {
    const start = this.#at;
    this.#at += 1;
    const isElement = this.#eat(':');
    const name = this.#match(IDENTIFIER)?.toLowerCase();
    if (name === undefined) throw this.#wrong('expected the name of a pseudo-class');
    const rewind = (problem: string) => {
      this.#at = start;
      return this.#wrong(problem);
    };
    if (isElement || LEGACY_PSEUDO_ELEMENTS.has(name)) {
      throw rewind(`the pseudo-element ${name} is no element of the page`);
    }
    const { plain, functions, unsupported } = this.dialect;
    const why = unsupported.get(name);
    if (why !== undefined) throw rewind(`:${name} ${why}`);
    const isFunction = this.#next() === '(';
    const written = isFunction ? functions.get(name)?.name : plain.get(name);
    if (written === undefined) throw rewind(unknownPseudo(name, isFunction, this.dialect));
    this.#out += `:${written}`;
    if (isFunction) this.#function(name);
  }

  #function(name: string): void {
    this.#at += 1;
    this.#out += '(';
    this.#depth += 1;
    if (this.#depth > this.dialect.maxDepth) throw this.#wrong('parentheses nest too deeply');
    this.#match(BLANK);
    this.#argument(this.dialect.functions.get(name)?.argument ?? 'selectors');
    this.#match(BLANK);
    if (!this.#eat(')')) {
      throw this.#at >= this.text.length ? this.#wrong(`expected ) to end :${name}(`) : this.#unexpected();
    }
    this.#depth -= 1;
    this.#out += ')';
  }

  #argument(argument: Argument): void {
    switch (argument) {
      case 'selectors':
        this.#list(false);
        break;
      case 'relative selectors':
        this.#list(this.dialect.leadingCombinator.inHas);
        break;
      case 'nth':
        this.#nth();
        break;
      case 'names':
        this.#separated(() => this.#match(STRING) ?? this.#match(IDENTIFIER), 'a name');
        break;
      case 'name':
        this.#identifier('a name');
        break;
      case 'strings':
        this.#separated(() => this.#match(STRING), 'text in quotes');
        break;
      case 'text':
        this.#looseText();
        break;
      case 'selectors and numbers':
        this.#selectorsAndNumbers();
        break;
      default:
        argument satisfies never;
    }
  }

  #selectorsAndNumbers(): void {
    do {
      this.#match(BLANK);
      if (this.#match(NUMBER) === null) this.#complex(true);
      this.#match(BLANK);
    } while (this.#eat(','));
  }

  #nth(): void {
    const formula = this.#match(NTH);
    if (formula === null) throw this.#wrong('expected a number, even, odd or a formula such as 2n+1');
    this.#out += formula.toLowerCase().replace(/\s+/g, '');
    if (this.#match(BLANK) === null || this.text.slice(this.#at, this.#at + 2).toLowerCase() !== 'of') return;
    if (!this.dialect.nthOf) throw this.#wrong('`of` is not supported here');
    this.#at += 2;
    this.#out += ' of ';
    this.#list(false);
  }

  #separated(item: () => string | null, what: string): void {
    do {
      this.#match(BLANK);
      const found = item();
      if (found === null) throw this.#wrong(`expected ${what}`);
      this.#out += found;
      this.#match(BLANK);
    } while (this.#next() === ',' && this.#keep(','));
  }

  /** Text as `:contains(…)` takes it: quoted, or anything without quotes and parentheses. */
  #looseText(): void {
    const found = this.#match(STRING) ?? this.#match(LOOSE_TEXT)?.trim();
    if (!found) throw this.#wrong('expected text');
    this.#out += found;
  }

  #identifier(what: string): void {
    const found = this.#match(IDENTIFIER);
    if (found === null || found === '-') {
      throw this.#wrong(
        /[0-9]/.test(this.#next())
          ? `expected ${what}, which does not begin with a digit: write \\3${this.#next()} with a blank after it`
          : `expected ${what}`,
      );
    }
    this.#out += this.#checked(found);
  }

  /** Names and strings; an escape may name a character that does not exist. */
  #checked(found: string): string {
    for (const [, digits = ''] of found.matchAll(ESCAPE)) {
      if (Number.parseInt(digits, 16) > 0x10_ff_ff) throw this.#wrong(`there is no character \\${digits}`);
    }
    return found;
  }

  #next(): string {
    return this.text[this.#at] ?? '';
  }

  #eat(character: string): boolean {
    if (this.#next() !== character) return false;
    this.#at += 1;
    return true;
  }

  #keep(character: string): boolean {
    this.#out += character;
    return this.#eat(character);
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  #unexpected(): Wrong {
    return this.#wrong(
      `unexpected ${JSON.stringify(String.fromCodePoint(this.text.codePointAt(this.#at) ?? 0))}`,
    );
  }

  #wrong(problem: string): Wrong {
    const place = this.#at >= this.text.length ? 'its end' : `character ${this.#at + 1}`;
    return new Wrong(`${problem} (${place})`);
  }
}

function unknownPseudo(name: string, isFunction: boolean, { plain, functions }: Dialect): string {
  if (isFunction && plain.has(name)) return `:${name} takes no argument`;
  if (!isFunction && functions.has(name)) return `expected :${name}(…) with an argument`;
  if (OF_JQUERY.has(name)) return `:${name} is jQuery's and not CSS`;
  const nearest = nearestName(name, [...plain.keys(), ...functions.keys()]);
  return `there is no pseudo-class :${name.slice(0, 50)}${nearest === null ? '' : `, did you mean :${nearest}?`}`;
}
