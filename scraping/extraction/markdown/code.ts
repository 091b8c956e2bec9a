import { closestTag, containsTag, isElement, isText, readText, select } from '../document/dom.ts';
import { nextNode } from '../document/traverse.ts';
import { detectLanguage } from './code-language.ts';

/**
 * Makes every code block a `pre` with one text: its lines as a reader sees them, without line
 * numbers and copy buttons, and its language in `data-lang`. Changes the element.
 */
export function simplifyCode(root: Element): void {
  for (const table of select(root, 'table')) if (!closestTag(table, 'PRE')) unwrapCodeTable(table);
  for (const block of select(root, 'pre, xmp, listing')) {
    if (root.contains(block) && !closestTag(block.parentElement, 'PRE')) becomePre(block);
  }
  for (const code of select(root, 'code, samp')) {
    if (hasLines(code) && !closestTag(code, 'PRE')) showLines(code);
  }
  if (root.tagName === 'PRE') setCode(root, codeText(root), detectLanguage(root));
}

function becomePre(block: Element): void {
  const language = detectLanguage(block);
  const text = codeText(block);
  const pre = block.tagName === 'PRE' ? block : block.ownerDocument.createElement('pre');
  setCode(pre, text, language);
  if (pre !== block) block.parentNode?.replaceChild(pre, block);
}

function setCode(pre: Element, text: string, language: string): void {
  pre.textContent = text;
  if (language !== '') pre.setAttribute('data-lang', language);
}

/** `code` outside of a `pre` whose markup makes several lines. */
const hasLines = (code: Element): boolean =>
  containsTag(code, LINE_TAGS) ||
  (/white-space\s*:\s*(pre|break-spaces)/i.test(code.getAttribute('style') ?? '') &&
    /\S\s*\n\s*\S/.test(readText(code)));

const LINE_TAGS = new Set(['BR', 'DIV', 'P', 'LI', 'TR']);

/** Becomes a block; in a heading or link, where none may be, one `code` per line. */
function showLines(code: Element): void {
  const lines = codeText(code).replace(/\n+$/, '').split('\n');
  const document = code.ownerDocument;
  if (lines.length < 2) {
    code.textContent = lines.join('');
    return;
  }
  if (!closestTag(code, 'A', 'H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'EM', 'STRONG', 'B', 'I')) {
    const pre = document.createElement('pre');
    setCode(pre, lines.join('\n'), detectLanguage(code));
    code.parentNode?.replaceChild(pre, code);
    return;
  }
  for (const [at, line] of lines.entries()) {
    const part = document.createElement('code');
    part.textContent = line;
    if (at > 0) code.parentNode?.insertBefore(document.createElement('br'), code);
    code.parentNode?.insertBefore(part, code);
  }
  code.remove();
}

/**
 * Highlighters lay code out as a table: a column of line numbers beside one `pre`, or a row per
 * line.
 */
function unwrapCodeTable(table: Element): void {
  const rows = select(table, 'tr');
  const first = rows[0];
  if (!first || !table.parentNode) return;
  if (!containsTag(table, PRES) && !NUMBERED.test(firstCellHints(first))) return;
  const cells = rows.map((row) => Array.from(row.children));
  const codeCells = cells.map((row) => row.filter((cell) => !isGutter(cell)));
  // Line numbers in every row, and one cell of code.
  if (cells.some((row, at) => row.length === codeCells[at]?.length || (codeCells[at]?.length ?? 0) > 1))
    return;
  const only = codeCells.length === 1 ? codeCells[0]?.[0] : undefined;
  if (only && containsTag(only, PRES)) {
    while (only.firstChild) table.parentNode.insertBefore(only.firstChild, table);
    table.remove();
    return;
  }
  const pre = table.ownerDocument.createElement('pre');
  const lines = codeCells.map(([cell]) => (cell ? codeText(cell).replace(/\n$/, '') : ''));
  setCode(pre, lines.join('\n'), detectLanguage(table));
  table.parentNode.replaceChild(pre, table);
}

const PRES = new Set(['PRE']);

const firstCellHints = (row: Element): string => {
  const cell = row.firstElementChild;
  return `${cell?.getAttribute('class') ?? ''} ${cell?.hasAttribute('data-line-number') ? 'line-number' : ''}`;
};

/** A cell of line numbers: named so, or counting up beside code. */
function isGutter(cell: Element): boolean {
  const text = readText(cell);
  if (!ONLY_NUMBERS.test(text)) return false;
  if (isNamedAsNumber(cell)) return true;
  for (let node = cell.firstChild; node; node = nextNode(node, cell)) {
    if (isElement(node) && isNamedAsNumber(node)) return true;
  }
  const numbers = text.match(/\d+/g) ?? [];
  return numbers.length > 1 && numbers.every((number, at) => Number(number) === Number(numbers[0]) + at);
}

const ONLY_NUMBERS = /^[\s\d.:|]*$/;
/** Class names that highlighters give to line numbers. */
const NUMBERED =
  /(?:^|\s)(?:line-?numbers?(?:-rows)?|line-?nos?|linenums?|linenodiv|lnos?|lnt?|lnum|gutter|blob-num|hljs-ln-n(?:umbers)?|react-syntax-highlighter-line-number|crayon-nums?|codemirror-linenumber|rouge-gutter|code-line-number)(?:$|[\s_])/i;

const isNamedAsNumber = (element: Element): boolean =>
  NUMBERED.test(element.getAttribute('class') ?? '') ||
  ['data-line-number', 'data-lineno', 'data-ln'].some((name) => element.hasAttribute(name));

/** Something beside the code: a line number, or a button. */
function isBeside(element: Element): boolean {
  if (element.tagName === 'BUTTON') return true;
  const name = element.getAttribute('class') ?? '';
  if (COPY.test(name)) return true;
  const isAnchor = element.tagName === 'A' && (element.hasAttribute('href') || element.hasAttribute('id'));
  const isUnselectable = /user-select\s*:\s*none/i.test(element.getAttribute('style') ?? '');
  if (!isAnchor && !isUnselectable && !isNamedAsNumber(element)) return false;
  if (isAnchor && !/#|^$/.test(element.getAttribute('href') ?? '')) return false;
  return ONLY_NUMBERS.test(readText(element)) && !(element.tagName === 'TD' && !isNamedAsNumber(element));
}

const COPY =
  /(?:^|\s)(?:copy|copy-?(?:code-?)?(?:btn|button)|code-copy[\w-]*|btn-copy|clipboard-copy)(?:\s|$)/i;

/**
 * The text of a code block with its line breaks, including those that highlighters write as `<br>`
 * or as one element per line.
 */
function codeText(root: Element): string {
  const parts: string[] = [];
  let last = '';
  const put = (text: string) => {
    if (text === '') return;
    parts.push(text);
    last = text;
  };
  const visit = (parent: Node) => {
    const isLine = lineElements(parent);
    for (let child = parent.firstChild; child; child = child.nextSibling) {
      if (isText(child)) {
        // Between elements that are lines, a line break is layout of the source.
        const isLayout =
          isLine !== null && /^[ \t\r]*\n?[ \t]*$/.test(child.data) && isBesideLine(child, isLine);
        if (!isLayout) put(child.data);
      } else if (isElement(child)) {
        // A break after an element that is a line anyway.
        if (child.tagName === 'BR') put(isLine?.(child.previousElementSibling) ? '' : '\n');
        else if (isBeside(child)) continue;
        else if (isLine?.(child)) {
          if (last !== '' && !last.endsWith('\n')) put('\n');
          const before = parts.length;
          visit(child);
          if (parts.length === before || !last.endsWith('\n')) put('\n');
        } else visit(child);
      }
    }
  };
  visit(root);
  return parts
    .join('')
    .replace(/\r\n?/g, '\n')
    .replace(/[\u00a0\u2007\u202f]/g, ' ')
    .replace(INVISIBLE, '');
}

const INVISIBLE = /[\u200b\u2060\ufeff]/g;

/** Which children of this node are lines of code; null: none. */
function lineElements(parent: Node): ((element: Element | null) => boolean) | null {
  let named = 0;
  for (let child = parent.firstChild; child; child = child.nextSibling) {
    if (!isElement(child)) continue;
    if (BLOCK_LINE.test(child.tagName)) return isLineElement;
    if (isNamedAsLine(child)) named += 1;
    if (named > 1) return isLineElement;
  }
  return null;
}

const BLOCK_LINE = /^(DIV|P|LI|TR)$/;
const isLineElement = (element: Element | null): boolean =>
  element !== null && (BLOCK_LINE.test(element.tagName) || isNamedAsLine(element));
/** Exact names: highlighters also mark tokens, such as `line-comment`. */
const isNamedAsLine = (element: Element): boolean =>
  element.hasAttribute('data-line') ||
  /(?:^|\s)(?:line|code-?line|view-line|cm-line|ec-line|token-line|CodeMirror-line|react-code-line|row)(?:\s|$)/.test(
    element.getAttribute('class') ?? '',
  ) ||
  /display\s*:\s*(block|flex|grid)/i.test(element.getAttribute('style') ?? '');

const isBesideLine = (text: Text, isLine: (element: Element | null) => boolean): boolean =>
  [text.previousSibling, text.nextSibling].some((beside) => isElement(beside) && isLine(beside));
