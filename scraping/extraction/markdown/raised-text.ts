import { collapseSpaces, isElement, isText, readText, selectFirst } from '../document/dom.ts';

/**
 * Superscripts and subscripts as plain text: Unicode digits and signs where it has them (`10⁶`,
 * `H₂O`, `m²`), else `^` and `_` (`x^max`, `x_(i,j)`). Ordinals and trademarks need no sign, a
 * reference to a footnote is bracketed, and `1` over `2` is ½.
 *
 * @param before text directly before the element; empty after white space
 */
export function writeRaised(element: Element, before: string): void {
  const text = collapseSpaces(readText(element)).replace(/\u2212/g, '-');
  if (text === '' || selectFirst(element, 'img')) return;
  const link = selectFirst(element, 'a');
  if (link || REFERENCE.test(element.getAttribute('class') ?? '')) bracket(link ?? element);
  else if (element.tagName === 'SUB') element.textContent = lowered(text);
  else if (!writeFraction(element, text)) element.textContent = raised(text, before, element);
}

const REFERENCE = /(?:^|[\s_-])(?:footnote|reference|noteref|fnref|citation|cite)/i;

/** `word<sup>1</sup>` with a link is a note, not a power and not part of the word. */
function bracket(holder: Element): void {
  const text = collapseSpaces(readText(holder));
  if (text === '' || /^[[({].*[\])}]$/.test(text) || !/^[\p{L}\p{N}*†‡§, ]{1,12}$/u.test(text)) return;
  holder.textContent = `[${text}]`;
}

function raised(text: string, before: string, element: Element): string {
  const mark = MARKS[text.toLowerCase()];
  if (mark) return mark;
  if (ORDINAL.test(text) || /^[^\p{L}\p{N}+\-=]+$/u.test(text)) return text;
  if (/^\d\d$/.test(text) && isPrice(before, element)) return /[.,]$/.test(before) ? text : `.${text}`;
  if (text.length > LONGEST || /\s\S+\s/.test(text)) return ` ${text}`;
  return translated(text, SUPERSCRIPTS) ?? `^${grouped(text)}`;
}

function lowered(text: string): string {
  if (text.length > LONGEST || /\s\S+\s/.test(text)) return ` ${text}`;
  if (/^[^\p{L}\p{N}+\-=]+$/u.test(text)) return text;
  return translated(text, SUBSCRIPTS) ?? `_${grouped(text)}`;
}

/** More is small print, not an index. */
const LONGEST = 20;

const MARKS: Readonly<Record<string, string>> = { tm: '™', sm: '℠', '(tm)': '™', '(r)': '®', r: '®' };
const ORDINAL = /^(st|nd|rd|th|er|ère|re|e|ème|ième|me|nde|o|a|os|as|mo|ma|lle|gde)$/i;

/** Cents after an amount: `$19` and a raised `99`. */
const isPrice = (before: string, element: Element): boolean =>
  /[$€£¥]\s?\d[\d.,]{0,12}$/.test(before) ||
  (/\d[.,]?$/.test(before) && isText(element.nextSibling) && /^\s?[€$£]/.test(element.nextSibling.data));

const grouped = (text: string): string => (/^[\p{L}\p{N}]+$/u.test(text) ? text : `(${text})`);

function translated(text: string, alphabet: ReadonlyMap<string, string>): string | null {
  let out = '';
  for (const character of text.replace(/ /g, '')) {
    const other = alphabet.get(character);
    if (other === undefined) return null;
    out += other;
  }
  return out;
}

const alphabet = (plain: string, other: string): ReadonlyMap<string, string> =>
  new Map(Array.from(plain, (character, at) => [character, Array.from(other)[at] ?? character]));
const SUPERSCRIPTS = alphabet('0123456789+-=()n', '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ');
const SUBSCRIPTS = alphabet('0123456789+-=()', '₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎');

/** `<sup>1</sup>/<sub>2</sub>`, with a slash, a fraction slash or nothing between. */
function writeFraction(numerator: Element, text: string): boolean {
  if (!/^\d{1,4}$/.test(text)) return false;
  const slash = numerator.nextSibling;
  const hasSlash = slash !== null && !isSub(slash) && /^\s*[/⁄∕]\s*$/.test(readText(slash).slice(0, 20));
  const denominator = hasSlash ? slash.nextSibling : slash;
  if (!isSub(denominator)) return false;
  const below = collapseSpaces(readText(denominator));
  if (!/^\d{1,4}$/.test(below)) return false;
  const vulgar = VULGAR.get(`${text}/${below}`);
  // Without a slash, `14` over `6` before a letter is an isotope.
  const follows = denominator.nextSibling;
  const isIsotope = isText(follows) && /^\p{Lu}/u.test(follows.data);
  if (!hasSlash && (!vulgar || isIsotope)) return false;
  numerator.textContent = vulgar ?? `${translated(text, SUPERSCRIPTS)}⁄${translated(below, SUBSCRIPTS)}`;
  if (hasSlash) slash.parentNode?.removeChild(slash);
  denominator.remove();
  return true;
}

const isSub = (node: Node | null): node is Element => isElement(node) && node.tagName === 'SUB';

const VULGAR: ReadonlyMap<string, string> = new Map(
  '1/2½ 1/3⅓ 2/3⅔ 1/4¼ 3/4¾ 1/5⅕ 2/5⅖ 3/5⅗ 4/5⅘ 1/6⅙ 5/6⅚ 1/8⅛ 3/8⅜ 5/8⅝ 7/8⅞'
    .split(' ')
    .map((entry) => [entry.slice(0, 3), entry.slice(3)]),
);
