import { isBlock, isElement, isText } from '../document/dom.ts';
import { decodeCloudflare } from './email-deobfuscation.ts';
import { plainCharacters } from './plain-characters.ts';

/** Area of a page. A footer names the owner more often than an article. */
export type Area = 'header' | 'footer' | 'body';

/** One visible line of text. */
export interface Line {
  /**
   * Spaces collapsed. `FAX_ICON` and `PHONE_ICON` mark an image or class name that labels the next
   * number.
   */
  text: string;
  area: Area;
  heading: boolean;
  /** Links and elements with data that begin in this line, in order. */
  anchors: readonly Anchor[];
}

export interface Anchor {
  element: Element;
  /** Index in the line's text. */
  at: number;
}

/** Private-use characters, which page text does not contain. */
export const FAX_ICON = '\uE0FA';
export const PHONE_ICON = '\uE0FB';
export const withoutIcons = (text: string): string => text.replace(/[\uE0FA\uE0FB]/g, '');

const MAX_CHARACTERS = 600_000;
const MAX_LINE = 2000;
/**
 * Longer words are no name, number or address, and make the regular expressions that search for
 * them quadratic.
 */
const LONG_WORDS = /\S{201,}/g;
const shorten = (word: string): string => word.slice(0, 200);
const MAX_DEPTH = 400;

/**
 * A page's text by lines: one per block, cell or `<br>`. Cloudflare-encoded addresses are decoded
 * in place.
 */
export function pageLines(document: Document): Line[] {
  const lines: Line[] = [];
  let text = '';
  let left = MAX_CHARACTERS;
  let area: Area = 'body';
  let heading = false;
  /** Of the current line, by index in its text so far. */
  let anchors: Anchor[] = [];
  /** Links without text belong to the line after them. */
  let carried: Anchor[] = [];

  const end = () => {
    const line = text.replace(/\s+/g, ' ').trim().replace(LONG_WORDS, shorten);
    const raw = text;
    text = '';
    const ended = anchors;
    anchors = [];
    if (line === '') {
      for (const { element } of ended) carried.push({ element, at: 0 });
      return;
    }
    const placed = ended.length === 0 ? carried : [...carried, ...placeAnchors(raw, ended)];
    carried = [];
    left -= line.length;
    for (let at = 0; at < line.length; at += MAX_LINE) {
      const isLast = at + MAX_LINE >= line.length;
      const inside =
        line.length <= MAX_LINE
          ? placed
          : placed
              .filter((anchor) => anchor.at >= at && (isLast || anchor.at < at + MAX_LINE))
              .map((anchor) => ({ ...anchor, at: anchor.at - at }));
      lines.push({ text: line.slice(at, at + MAX_LINE), area, heading, anchors: inside });
    }
  };

  /** What ended since the last text: `Acme</b>555-0100` are two words, and so are two links. */
  let apart: 'no' | 'element' | 'link' = 'no';
  const add = (written: string) => {
    const data = plainCharacters(written);
    if (data === '') return;
    const [last, first] = [text.at(-1) ?? ' ', data[0] ?? ' '];
    const joins = /[\p{L}\d]/u.test(last) && /[\p{L}\d]/u.test(first);
    if (joins && apart !== 'no' && (apart === 'link' || /\d/.test(last) !== /\d/.test(first))) text += ' ';
    text += data;
    apart = 'no';
  };

  const visit = (parent: Node, depth: number) => {
    if (depth > MAX_DEPTH) return;
    for (let node = parent.firstChild; node && left > 0; node = node.nextSibling) {
      if (isText(node)) add(node.data);
      else if (isElement(node)) visitElement(node, depth);
    }
  };

  const visitElement = (element: Element, depth: number) => {
    const { tagName } = element;
    if (UNREAD.has(tagName) || isHiddenWord(element)) return;
    if (BREAKS.has(tagName)) return end();
    if (tagName === 'IMG') {
      text += imageText(element);
      return;
    }
    const isMarked = element.hasAttributes();
    const code = isMarked ? element.getAttribute('data-cfemail') : null;
    if (code !== null) {
      anchors.push({ element, at: text.length });
      add(` ${decodeCloudflare(code) ?? ''}`);
      return;
    }
    const breaks = isBlock(element);
    if (!breaks && apart !== 'link') apart = tagName === 'A' ? 'link' : 'element';
    const outer = { area, heading };
    if (breaks) {
      end();
      area = pageArea(element) ?? area;
      heading = heading || HEADINGS.has(tagName);
    }
    if (isMarked) text += elementIcon(element);
    if (isMarked && isAnchor(element)) anchors.push({ element, at: text.length });
    visit(element, depth + 1);
    if (!breaks && apart !== 'link') apart = tagName === 'A' ? 'link' : 'element';
    if (breaks) {
      end();
      ({ area, heading } = outer);
    }
  };

  if (document.body) visit(document.body, 0);
  end();
  return lines;
}

const isAnchor = (element: Element): boolean =>
  element.tagName === 'A' || element.getAttributeNames().some((name) => name.startsWith('data-'));

/** The anchors by their index once spaces are collapsed, in one pass over the line. */
function placeAnchors(raw: string, anchors: readonly Anchor[]): Anchor[] {
  let from = 0;
  let length = 0;
  let endsInSpace = true;
  return anchors.map(({ element, at }) => {
    const piece = raw.slice(from, at).replace(/\s+/g, ' ');
    length += endsInSpace && piece.startsWith(' ') ? piece.length - 1 : piece.length;
    if (piece !== '') endsInSpace = piece.endsWith(' ');
    from = at;
    return { element, at: length };
  });
}

const UNREAD = new Set(
  'SCRIPT STYLE TEMPLATE TEXTAREA SELECT OPTION OBJECT IFRAME CANVAS NOFRAMES'.split(' '),
);
const BREAKS = new Set(['BR', 'HR', 'INPUT', 'BUTTON']);
const HEADINGS = new Set(['H1', 'H2', 'H3']);

/** A hidden word inside an e-mail address, to mislead harvesters. */
const isHiddenWord = (element: Element): boolean =>
  (element.tagName === 'SPAN' || element.tagName === 'B' || element.tagName === 'I') &&
  element.hasAttributes() &&
  /display\s*:\s*none/i.test(element.getAttribute('style') ?? '');

function pageArea(element: Element): Area | null {
  if (element.tagName === 'FOOTER') return 'footer';
  if (element.tagName === 'HEADER' || element.tagName === 'NAV') return 'header';
  if (!element.hasAttributes()) return null;
  const name = `${element.id} ${element.getAttribute('class') ?? ''} ${element.getAttribute('role') ?? ''}`;
  if (name === '  ') return null;
  if (/(?:^|[\s_-])(?:footer|foot|contentinfo|copyright|impressum)(?![a-z])/i.test(name)) return 'footer';
  if (/(?:^|[\s_-])(?:header|masthead|banner|navigation|navbar|nav|menu)(?![a-z])/i.test(name))
    return 'header';
  return null;
}

/** An `@` or `.` drawn as an image, or the icon before a number. */
function imageText(image: Element): string {
  const alt = image.getAttribute('alt')?.trim() ?? '';
  if (alt === '@' || alt === '.') return alt;
  if (alt.length < 20) return iconFor(alt) || ' ';
  return ' ';
}

function elementIcon(element: Element): string {
  const name =
    element.getAttribute('itemprop') ?? element.getAttribute('class') ?? element.getAttribute('title');
  if (!name || name.length > 100) return '';
  const icon = iconFor(name);
  return icon && (element.textContent ?? '').length < 80 ? icon : '';
}

function iconFor(name: string): string {
  const fax = /(?:^|[^a-z])(?:tele)?fax|faxnumber/i.test(name);
  const phone = /(?:^|[^a-z])(?:tele)?phone|(?:^|[^a-z])(?:tel|mobile)(?![a-z])/i.test(name);
  return fax === phone ? '' : fax ? FAX_ICON : PHONE_ICON;
}
