import TurndownService from 'turndown';
import {
  closestTag,
  collapseSpaces,
  hasBlockInside,
  hasText,
  isText,
  readText,
  select,
} from '../document/dom.ts';
import { joinedLines, withoutTrailingBlanks } from '../document/lines.ts';
import { nextNode } from '../document/traverse.ts';
import { collapseBlankLines, keepBlankLines } from './blank-lines.ts';
import { itemIndent, listMarker } from './lists.ts';
import { tableToMarkdown } from './table.ts';
import { toText } from './text.ts';

/**
 * GitHub-flavoured Markdown of an element whose URLs are absolute and that `makeReadable` prepared.
 * Changes the element.
 */
export function toMarkdown(element: Element): string {
  // Turndown clones its input. This element may be changed and is not read afterwards, so the clone
  // is skipped.
  shortenBlanks(element);
  const uncopied = { nodeType: element.nodeType, cloneNode: () => element };
  const markdown = converter.turndown(uncopied as unknown as HTMLElement);
  return collapseBlankLines(withoutTrailingBlanks(markdown, breaksLine)).trim();
}

/** Two spaces at a line end are a line break, unless a blank line follows. */
const breaksLine = (blanks: string, line: string, next: string | undefined): boolean =>
  blanks === '  ' && /\S/.test(line.at(-1) ?? '') && next !== undefined && !/^[ \t]*$/.test(next);

/**
 * Turndown restarts at each blank of a run: a megabyte of blanks would take hours. A run this long
 * has no meaning even in the widest ASCII art.
 */
function shortenBlanks(element: Element): void {
  for (let node: Node | null = element.firstChild; node; node = nextNode(node, element)) {
    if (isText(node) && node.data.length > LONGEST_BLANK)
      node.data = node.data.replace(RUN_OF_BLANKS, shorter);
  }
}

const LONGEST_BLANK = 500;
const RUN_OF_BLANKS = /\s{501,}/g;
const shorter = (blanks: string): string => blanks.slice(0, LONGEST_BLANK);

/** The Markdown of an element, given its converted content. */
type Rule = (content: string, element: Element) => string;

const emphasis: Rule = (content, element) => {
  if (content.trim() === '') return content;
  // Nested `*` would read as strong emphasis.
  const mark = closestTag(element.parentElement, 'EM', 'I') ? '_' : '*';
  return `${mark}${content}${mark}`;
};

const strikethrough: Rule = (content) => (content.trim() ? `~~${content}~~` : '');

/**
 * Uses the plain text: turndown would put the markup of links and emphasis between the backticks,
 * where it is literal.
 */
const code: Rule = (_content, element) => {
  const text = readText(element).replace(/[ \t\r\n]+/g, ' ');
  if (text.trim() === '') return text;
  const ticks = '`'.repeat(longestRun(text, '`') + 1);
  // A renderer strips one space from each side if both have one.
  const needsAir = /`|^ .* $/s.test(text);
  const quoted = needsAir ? `${ticks} ${text} ${ticks}` : `${ticks}${text}${ticks}`;
  const links = select(element, 'a[href]');
  const link = links.length === 1 ? links[0] : undefined;
  return link && collapseSpaces(readText(link)) === text.trim()
    ? `[${quoted}](${destination(link)})`
    : quoted;
};

const pre: Rule = (_content, element) => {
  const text = readText(element).trimEnd();
  const fence = '`'.repeat(Math.max(3, longestRun(text, '`') + 1));
  const lines = text === '' ? '' : `${keepBlankLines(text)}\n`;
  return `\n\n${fence}${element.getAttribute('data-lang') ?? ''}\n${lines}${fence}\n\n`;
};

const link: Rule = (content, element) => {
  const text = hasBlockInside(element) ? collapseSpaces(toText(element)) : joinedLines(content, ' ');
  // Anchor signs that link a heading to itself.
  if (text === '' || /^(#|¶|§|\\#|🔗)$/.test(text)) return '';
  const href = element.getAttribute('href') ?? '';
  return /^[a-z][a-z0-9+.-]*:/i.test(href) && !NOT_FOR_READERS.test(href)
    ? `[${text}](${destination(element)}${titleSuffix(element)})`
    : text;
};

const image: Rule = (_content, element) => {
  const source = element.getAttribute('src') ?? '';
  if (!/^https?:/i.test(source)) return '';
  const alt = collapseSpaces(element.getAttribute('alt')).replace(/[[\]]/g, '\\$&');
  return `![${alt}](${escapedUrl(source)}${titleSuffix(element)})`;
};

/** A heading is one line, whatever it contains. */
const heading: Rule = (content, element) => {
  const text = joinedLines(content, ' ').replace(/#$/, '\\#');
  return text === '' ? '' : `\n\n${'#'.repeat(Number(element.tagName[1]))} ${text}\n\n`;
};

/** Turndown pads list markers to four columns; people write two or three. */
const item: Rule = (content, element) => {
  const marker = listMarker(element);
  const text = content.trim().replace(/^([☐☑])\s*(?=\S)/, (_box, sign) => (sign === '☑' ? '[x] ' : '[ ] '));
  const end = element.nextSibling ? '\n' : '';
  if (text === '') return isEmptyItem(element) ? `${marker.trimEnd()}${end}` : '';
  return `${marker}${text.replace(/\n/g, `\n${' '.repeat(itemIndent(marker))}`)}${end}`;
};

/** Without anything in it; an icon or an image that Markdown cannot show is no empty item. */
const isEmptyItem = (item: Element): boolean =>
  Array.from(item.children).every(({ tagName }) => tagName === 'BR' || tagName === 'P');

/**
 * Markdown has no definition lists: the term becomes an item, its definition the content of the
 * item.
 */
const term: Rule = (content) => (content.trim() ? `\n\n- ${joinedLines(content, ' ')}\n\n` : '');
const definition: Rule = (content) => (content.trim() ? `\n\n${indented(content.trim())}\n\n` : '');

/** Terms without definitions are a tight list, such as a table of contents. */
const terms: Rule = (content, element) => {
  const defines = Array.from(element.childNodes).some(
    (child) => child.nodeName === 'DD' && !onlyHoldsList(child),
  );
  return `\n\n${(defines ? content : content.replace(/\n{2,}/g, '\n')).replace(/^\n+/, '').trimEnd()}\n\n`;
};

const table: Rule = (content, element) =>
  tableToMarkdown(element, (inside) => cells.get(inside) ?? '') ?? `\n\n${content.trim()}\n\n`;

/** In a layout table a cell is a paragraph. */
const cell: Rule = (content, element) => {
  cells.set(element, content);
  return `\n\n${content.trim()}\n\n`;
};

/** Elements that turndown takes for inline ones. */
const block: Rule = (content) => `\n\n${content.trim()}\n\n`;

/** TeX is not escaped: the renderers that know formulas read it before they read markup. */
const formula: Rule = (_content, element) => {
  const text = readText(element);
  return text.startsWith('$$') && !closestTag(element, ...ONE_LINE) ? `\n\n${text}\n\n` : text;
};

const ONE_LINE = ['A', 'H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'TD', 'TH', 'EM', 'I', 'B', 'STRONG'];

/** Converted content of each cell, until its table is written. */
const cells = new WeakMap<Element, string>();

/** By tag, in one turndown rule: turndown tries rules one by one per element. */
const RULES = new Map<string, Rule>(
  Object.entries({
    ...{ EM: emphasis, I: emphasis, DEL: strikethrough, S: strikethrough, STRIKE: strikethrough },
    ...{ CODE: code, KBD: code, SAMP: code, TT: code, PRE: pre },
    ...{ A: link, IMG: image },
    ...{ H1: heading, H2: heading, H3: heading, H4: heading, H5: heading, H6: heading },
    ...{ LI: item, DT: term, DD: definition, DL: terms },
    ...{ TABLE: table, TD: cell, TH: cell, TR: cell, CAPTION: cell },
    ...{
      DETAILS: block,
      SUMMARY: block,
      LEGEND: block,
      DIALOG: block,
      SEARCH: block,
      OPTION: block,
      OPTGROUP: block,
    },
    'TEX-FORMULA': formula,
  }),
);

const converter = createConverter();

function createConverter(): TurndownService {
  const service = new TurndownService({
    headingStyle: 'atx',
    codeBlockStyle: 'fenced',
    bulletListMarker: '-',
    emDelimiter: '*',
    // `- ---` would be one thematic break instead of an item with one.
    hr: '* * *',
    blankReplacement: (_content, node) => blankElement(node as unknown as Element & { isBlock: boolean }),
  });
  const escaped = service.escape.bind(service);
  service.escape = (text) =>
    MARKUP.test(text)
      ? escaped(text)
          // Text on the page must not become markup in the Markdown.
          .replace(/<(?=[A-Za-z/!?])/g, '\\<')
          .replace(/&(?=#?[A-Za-z0-9]{1,40};)/g, '&amp;')
      : text;
  service.addRule('ours', {
    filter: ({ nodeName }) => RULES.has(nodeName),
    replacement: (content, node) => RULES.get(node.nodeName)?.(content, node as Element) ?? '',
  });
  return service;
}

/** Turndown asks no rule for an element without text. */
function blankElement(element: Element & { isBlock: boolean }): string {
  if (element.tagName === 'PRE') return pre('', element);
  if (element.tagName === 'LI') return item('', element);
  return element.isBlock ? '\n\n' : '';
}

/** Characters that may need escaping: anywhere, and at the start of a text. */
const MARKUP = /[\\*`[\]_<&]|^[-+=#~>\d]/;

/** Whether all text is in nested definition lists. */
const onlyHoldsList = (node: Node) =>
  Array.from(node.childNodes).every((child) => child.nodeName === 'DL' || !hasText(child));

const indented = (text: string) => text.replace(/^(?=.)/gm, '  ');

const destination = (link: Element) => escapedUrl(link.getAttribute('href') ?? '');

/** The quoted title with a leading space, or an empty string. */
function titleSuffix(element: Element): string {
  const title = collapseSpaces(element.getAttribute('title'));
  return title === '' ? '' : ` "${title.replace(/["\\]/g, '\\$&')}"`;
}

/** URLs that run code or hold whole documents: useless in Markdown. */
const NOT_FOR_READERS = /^(javascript|vbscript|data|blob|file|about):/i;

/** Spaces and brackets would end the URL early; paired parentheses are allowed. */
const escapedUrl = (url: string) => {
  const encoded = url.replace(
    /[\s<>]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return hasPairedBrackets(encoded) ? encoded : encoded.replace(/[()]/g, '\\$&');
};

function hasPairedBrackets(text: string): boolean {
  let open = 0;
  for (const character of text) {
    if (character === '(') open += 1;
    if (character === ')') open -= 1;
    if (open < 0) return false;
  }
  return open === 0;
}

function longestRun(text: string, character: string): number {
  let longest = 0;
  let run = 0;
  for (const each of text) {
    run = each === character ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}
