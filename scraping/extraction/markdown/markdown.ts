import TurndownService from 'turndown';
import {
  closestTag,
  collapseSpaces,
  hasBlockInside,
  hasText,
  isElement,
  isText,
  readText,
  select,
} from '../document/dom.ts';
import { joinedLines, withoutTrailingBlanks } from '../document/lines.ts';
import { nextNode } from '../document/traverse.ts';
import { tableToMarkdown } from './table.ts';
import { toText } from './text.ts';

/** GitHub-flavoured Markdown of an element whose URLs are absolute. Changes the element. */
export function toMarkdown(element: Element): string {
  // Turndown clones its input. This element may be changed and is not read afterwards, so the clone
  // is skipped.
  shortenBlanks(element);
  const uncopied = { nodeType: element.nodeType, cloneNode: () => element };
  return withoutTrailingBlanks(converter.turndown(uncopied as unknown as HTMLElement), breaksLine)
    .replace(/\n{3,}/g, '\n\n')
    .trim();
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
  const text = preText(element).trimEnd();
  if (text === '') return '';
  const fence = '`'.repeat(Math.max(3, longestRun(text, '`') + 1));
  return `\n\n${fence}${detectLanguage(element)}\n${text}\n${fence}\n\n`;
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
  const text = content.trim().replace(/\n/g, `\n${' '.repeat(marker.length)}`);
  return text === '' ? '' : `${marker}${text}${element.nextSibling ? '\n' : ''}`;
};

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

/** Characters that may need escaping: anywhere, and at the start of a text. */
const MARKUP = /[\\*`[\]_<&]|^[-+=#~>\d]/;

function listMarker(item: Element): string {
  const list = item.parentElement;
  const isOther = list !== null && /^[UO]L$/.test(list.tagName) && alternatesMarker(list);
  if (list?.tagName !== 'OL') return isOther ? '* ' : '- ';
  const start = Number.parseInt(list.getAttribute('start') ?? '1', 10);
  const first = start >= 0 ? start : 1;
  return `${first + positionInList(item, list)}${isOther ? ')' : '.'} `;
}

/** Index of an item in its list; counted once per list. */
function positionInList(item: Element, list: Element): number {
  let known = positions.get(list);
  if (!known) {
    known = new Map();
    for (const child of Array.from(list.children)) if (child.tagName === 'LI') known.set(child, known.size);
    positions.set(list, known);
  }
  return known.get(item) ?? -1;
}

const positions = new WeakMap<Element, Map<Element, number>>();

/** Adjacent lists with the same marker would merge, so they alternate. */
function alternatesMarker(list: Element): boolean {
  let isOther = false;
  let last = list;
  for (let count = 0; count < 100; count += 1) {
    const before = last.previousSibling;
    const previous = before && !isElement(before) && !hasText(before) ? before.previousSibling : before;
    if (!previous || !isElement(previous) || previous.tagName !== list.tagName) return isOther;
    isOther = !isOther;
    last = previous;
  }
  return isOther;
}

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

/**
 * Text with its line breaks, including those that highlighters write as `<br>` or as one element
 * per line.
 */
function preText(node: Node): string {
  let text = '';
  const visit = (parent: Node) => {
    for (let child = parent.firstChild; child; child = child.nextSibling) {
      if (!isElement(child)) text += child.nodeType === 3 ? (child.nodeValue ?? '') : '';
      else if (child.tagName === 'BR') text += '\n';
      else {
        const ownLine = /^(DIV|P|LI|TR)$/.test(child.tagName);
        if (ownLine && text !== '' && !text.endsWith('\n')) text += '\n';
        visit(child);
        if (ownLine && !text.endsWith('\n')) text += '\n';
      }
    }
  };
  visit(node);
  return text;
}

/**
 * From `language-x` and `lang-x` (recommended by HTML), `highlight-source-x` (GitHub) and `brush:
 * x` (SyntaxHighlighter).
 */
function detectLanguage(pre: Element): string {
  const positions = [pre.querySelector('code'), pre, pre.parentElement, pre.parentElement?.parentElement];
  for (const place of positions) {
    const name = place?.getAttribute('class') ?? '';
    const found = /(?:^|\s)(?:language|lang|highlight-source|highlight|brush:)[-\s]([^\s,;`]+)/.exec(
      name,
    )?.[1];
    if (found && !['default', 'none', 'plaintext', 'text'].includes(found)) return found;
  }
  return pre.getAttribute('data-lang') ?? pre.getAttribute('data-language') ?? '';
}
