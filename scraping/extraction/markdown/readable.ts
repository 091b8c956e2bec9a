import { cleanBlanks } from '../document/blanks.ts';
import { isBlock, isElement, isText, readText, select } from '../document/dom.ts';
import { simplifyCode } from './code.ts';
import { writeRaised } from './raised-text.ts';
import { isGlued, type Separator, separatorAround } from './separators.ts';

/**
 * Prepares content for `toText` and `toMarkdown`: what a browser shows by layout becomes text. Boxes
 * side by side get a space or a line break between them, superscripts and quotes their signs, and
 * code blocks their lines. Changes the element.
 */
export function makeReadable(root: Element): Element {
  simplifyCode(root);
  for (const list of select(root, 'ul, ol')) nestInItem(list);
  const state: Run = { before: '', boundary: null, left: null, neighbours: null };
  let node: Node | null = root.firstChild;
  while (node) {
    const isOpened = visit(node, state);
    if (isOpened && node.firstChild) {
      node = node.firstChild;
      continue;
    }
    let at: Node = node;
    if (isElement(at)) leave(at, state);
    while (!at.nextSibling) {
      const parent: Node | null = at.parentNode;
      if (!parent || parent === root) return root;
      leave(parent as Element, state);
      at = parent;
    }
    node = at.nextSibling;
  }
  return root;
}

/** The text so far of one line of inline content. */
interface Run {
  /** The last text; empty at the start of a line. */
  before: string;
  /** Where something must separate the next text from it. */
  boundary: { separator: Separator; parent: Node; next: Node | null } | null;
  /** The outermost inline element that ended since the last text. */
  left: Element | null;
  /** Two adjacent elements between the last text and the next. */
  neighbours: [Element, Element] | null;
}

/** @returns whether to visit the children */
function visit(node: Node, run: Run): boolean {
  if (isText(node)) {
    readTextNode(node, run);
    return false;
  }
  if (!isElement(node)) return false;
  const { tagName } = node;
  if (tagName === 'PRE' || tagName === 'BR' || tagName === 'HR' || tagName === 'TABLE' || isBlock(node)) {
    reset(run);
    return tagName !== 'PRE';
  }
  if (tagName === 'IMG') {
    // An image stands between two texts as a blank does.
    if (run.before !== '') mark(run, ' ', node.parentNode, node);
    return false;
  }
  if (run.left && node.previousSibling === run.left) run.neighbours ??= [run.left, node];
  const separator = separatorAround(node);
  if (separator) mark(run, separator, node.parentNode, node);
  if (tagName === 'SUP' || tagName === 'SUB') writeRaised(node, run.boundary ? '' : run.before);
  else if (tagName === 'Q') quote(node);
  else if (tagName === 'RT') explainRuby(node);
  else if (tagName === 'SPAN') becomeFormula(node);
  return true;
}

function leave(element: Element, run: Run): void {
  if (isBlock(element) || element.tagName === 'PRE' || element.tagName === 'BR') {
    reset(run);
    return;
  }
  const separator = separatorAround(element);
  if (separator) mark(run, separator, element.parentNode, element.nextSibling);
  if (run.before !== '') run.left = element;
}

function reset(run: Run): void {
  run.before = '';
  run.boundary = null;
  run.left = null;
  run.neighbours = null;
}

function mark(run: Run, separator: Separator, parent: Node | null, next: Node | null): void {
  if (run.before === '' || parent === null) return;
  if (run.boundary?.separator === 'break' || run.boundary?.separator === separator) return;
  run.boundary = { separator, parent, next };
}

function readTextNode(text: Text, run: Run): void {
  const isCode = text.parentElement?.tagName === 'CODE';
  // In code a blank at either end is meant, and Markdown drops ordinary ones.
  const cleaned = isCode && /^\xa0|\xa0$/.test(text.data) ? text.data : cleanBlanks(text.data);
  if (cleaned !== text.data) text.data = cleaned;
  if (cleaned === '') return;
  if (/^\s+$/.test(cleaned)) {
    // White space separates enough, except where a line break is due.
    if (run.boundary?.separator === ' ') run.boundary = null;
    run.neighbours = null;
    run.left = null;
    if (run.before !== '') run.before = ' ';
    return;
  }
  const { boundary, neighbours, before } = run;
  const isSpaced = /\s$/.test(before) || /^\s/.test(cleaned);
  if (boundary && (boundary.separator === 'break' || !isSpaced)) separate(boundary, text.ownerDocument);
  else if (!isSpaced && neighbours && isGlued(before, cleaned, neighbours))
    separate(
      { separator: ' ', parent: neighbours[1].parentNode as Node, next: neighbours[1] },
      text.ownerDocument,
    );
  reset(run);
  run.before = cleaned.slice(-MOST_BEFORE);
}

const MOST_BEFORE = 40;

function separate(
  { separator, parent, next }: { separator: Separator; parent: Node; next: Node | null },
  document: Document,
): void {
  const between = separator === 'break' ? document.createElement('br') : document.createTextNode(' ');
  parent.insertBefore(between, next?.parentNode === parent ? next : null);
}

/** A list directly in a list belongs to the item before it. */
function nestInItem(list: Element): void {
  if (!/^[UO]L$/.test(list.parentElement?.tagName ?? '')) return;
  const item = list.previousElementSibling;
  if (item?.tagName === 'LI') item.appendChild(list);
}

/** Browsers draw the quotation marks. */
function quote(element: Element): void {
  const text = readText(element).trim();
  if (text === '' || /^["“”„«‘'‹「]/.test(text)) return;
  const isInner = element.parentElement?.closest('q') != null;
  const document = element.ownerDocument;
  element.insertBefore(document.createTextNode(isInner ? '‘' : '“'), element.firstChild);
  element.appendChild(document.createTextNode(isInner ? '’' : '”'));
}

/** A reading above its characters, in brackets if the page has none for it. */
function explainRuby(element: Element): void {
  const text = readText(element).trim();
  if (text === '' || element.previousElementSibling?.tagName === 'RP' || /^[(（]/.test(text)) return;
  element.textContent = `(${text})`;
}

/** The formulas that `formulas.ts` found, in the notation of Markdown. */
function becomeFormula(element: Element): void {
  const name = element.getAttribute('class');
  if (name !== 'math inline' && name !== 'math display') return;
  const tex = readText(element).trim().slice(2, -2).trim();
  const formula = element.ownerDocument.createElement('tex-formula');
  const sign = name === 'math display' ? '$$' : '$';
  formula.textContent = `${sign}${tex}${sign}`;
  while (element.firstChild) element.firstChild.remove();
  element.appendChild(formula);
}
