import { boxOf } from '../document/shown-boxes.ts';

/** What stands between two texts that a browser shows apart. */
export type Separator = ' ' | 'break';

/**
 * What separates an inline element from the text around it: its box in the browser, its style
 * attribute, or the habits of its tag.
 */
export function separatorAround(element: Element): Separator | null {
  const box = boxOf(element);
  if (box) return box === 'block' ? 'break' : ' ';
  if (APART.has(element.tagName) || (element.tagName.includes('-') && element.tagName !== 'TEX-FORMULA'))
    return ' ';
  if (LINES.has(element.tagName)) return 'break';
  const style = element.getAttribute('style');
  if (style) {
    if (BLOCK_STYLE.test(style)) return 'break';
    if (APART_STYLE.test(style)) return ' ';
  }
  const outer = element.parentElement?.getAttribute('style');
  if (outer && FLEX_STYLE.test(outer)) return COLUMN_STYLE.test(outer) ? 'break' : ' ';
  return FRACTION.test(element.getAttribute('class') ?? '') ? ' ' : null;
}

const APART = new Set(['BUTTON', 'LABEL', 'OUTPUT', 'METER', 'PROGRESS', 'VIDEO', 'AUDIO', 'OBJECT', 'MAP']);
const LINES = new Set(['OPTION', 'OPTGROUP', 'SEARCH', 'HGROUP', 'SLOT-ROW']);
const BLOCK_STYLE = /(?:^|;)\s*display\s*:\s*(?:block|list-item|table|table-row|flow-root|flex|grid)\b(?!-)/i;
const APART_STYLE =
  /(?:^|;)\s*(?:display\s*:\s*(?:inline-(?:block|flex|grid|table)|table-cell)|float\s*:\s*(?:left|right|inline)|position\s*:\s*(?:absolute|fixed)|(?:margin|padding)(?:-(?:left|right|inline)[a-z-]*)?\s*:\s*(?:0 )?[1-9.]|margin-left\s*:\s*auto)/i;
const FLEX_STYLE = /(?:^|;)\s*display\s*:\s*(?:inline-)?(?:flex|grid)\b/i;
const COLUMN_STYLE = /flex-direction\s*:\s*column/i;
/** Wikipedia's `2<span class="frac">1⁄2</span>`. */
const FRACTION = /(?:^|\s)s?frac(?:tion)?(?:\s|$)/;

/**
 * Whether two adjacent elements without white space between them are two things: links, keys,
 * fields with names of their own, or texts that no word joins. A word in several pieces (a drop
 * cap, a highlighted part) stays one.
 *
 * @param before the text that ends in the first one
 * @param after the text that begins in the second one
 */
export function isGlued(before: string, after: string, [one, other]: readonly [Element, Element]): boolean {
  const tag = one.tagName;
  if (tag === other.tagName && tag === 'KBD') return true;
  // In a paragraph, a word may be two links.
  if (
    tag === 'A' &&
    other.tagName === 'A' &&
    (one.parentElement?.tagName !== 'P' || isNewWord(before, after))
  )
    return true;
  if (/^(DEL|INS|S)$/.test(tag) && /^(DEL|INS|S)$/.test(other.tagName)) return true;
  if (!TEXT_TAGS.has(tag) || !TEXT_TAGS.has(other.tagName)) return false;
  if (/\p{L}:$/u.test(before) && !after.startsWith('/')) return true;
  if (before.trim().length < 2 || after.trim().length < 2) return false;
  const [name, otherName] = [one.getAttribute('class') ?? '', other.getAttribute('class') ?? ''];
  if (name === '' || otherName === '') return false;
  return isNewWord(before, after) || (name !== otherName && FIELD.test(name) && FIELD.test(otherName));
}

const isNewWord = (before: string, after: string): boolean =>
  (/[\p{Ll}\p{N})%]$/u.test(before) && /^(\p{Lu}|[$€£¥])/u.test(after)) ||
  (/\p{L}{2}$/u.test(before) && /^\p{N}/u.test(after));

const TEXT_TAGS = new Set([
  'SPAN',
  'A',
  'B',
  'STRONG',
  'EM',
  'I',
  'SMALL',
  'TIME',
  'CITE',
  'DATA',
  'U',
  'FONT',
]);
const FIELD =
  /(?:^|[\s_-])(?:name|title|label|key|value|price|cost|date|time|author|count|number|num|description|desc|text|category|tag|badge|cell|col|field|city|country|role|rating|status|unit|amount)s?(?:$|[\s_-])/i;
