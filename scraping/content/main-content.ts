import { type Block, type BlockTree, blocksOf } from './blocks.ts';
import { collapsed, isElement, isText, select } from './dom.ts';
import { featuresOf, type PageFacts } from './features.ts';
import { MODEL } from './model.ts';
import { decodeTrees, judge, type Trees } from './trees.ts';

/**
 * The part of a page somebody came to read. The page is cut into blocks of text; a small model, trained on pages that people
 * labelled, says of each how likely it is content; those are kept that give the most of it for the least of the rest. Everything
 * else is taken out of the document, so that what is left keeps its headings, lists, tables and pictures.
 * Why a model: docs/decisions/0008-content-by-a-small-model.md. Changes the document.
 */
export function mainContent(document: Document, url: string): Element {
  const body = readableBody(document);
  const title = titleHeading(document);
  const tree = blocksOf(body);
  const chances = chancesOf(trees(), tree, factsOf(document, url));
  const kept = choose(tree.blocks, chances);
  for (const [at, block] of tree.blocks.entries()) if (!kept[at]) takeOut(block);
  removeEmpty(body);
  const root = innermost(body);
  if (title && !root.querySelector('h1')) root.insertBefore(title, root.firstChild);
  return root;
}

/** The whole page without what nobody sees. Changes the document. */
export function wholeContent(document: Document): Element {
  const body = readableBody(document);
  for (const element of select(body, '[hidden], [aria-hidden="true"], [style]')) {
    if (isHidden(element)) element.remove();
  }
  return body;
}

let decoded: Trees | undefined;
const trees = (): Trees => {
  decoded ??= decodeTrees(MODEL);
  return decoded;
};

/** A page made of frames has no body. */
const bodyOf = (document: Document): Element => document.body ?? document.documentElement;

/** The body without what is no text, and with the pictures and text that are there for readers without scripts. Changes the document. */
export function readableBody(document: Document): Element {
  const body = bodyOf(document);
  unwrapNoscript(body);
  for (const element of select(body, UNREADABLE)) element.remove();
  for (const element of select(body, '[hidden], [style]')) {
    if (isHidden(element) && !isFolded(element)) element.remove();
  }
  return body;
}

const UNREADABLE =
  'script, style, noscript, template, link, meta, base, title, iframe, object, embed, svg, canvas, input, select, textarea, [aria-hidden="true"]';

/** Text that a click unfolds is read like any other; labels and menus that wait are not. */
const isFolded = (element: Element): boolean => {
  const text = collapsed(element.textContent);
  return text.length >= 120 && /[.!?]/.test(text);
};

/** A page that draws itself by script may give its text to others in `noscript`. */
function unwrapNoscript(body: Element): void {
  const holders = select(body, 'noscript');
  if (holders.length === 0) return;
  const inside = new Map(holders.map((holder) => [holder, collapsed(holder.textContent).length]));
  const largest = holders.reduce((best, holder) =>
    (inside.get(holder) ?? 0) > (inside.get(best) ?? 0) ? holder : best,
  );
  const size = inside.get(largest) ?? 0;
  if (size < 200 || !largest.querySelector('p, div, li, article, section, h1, h2')) return;
  if (size < (textLength(body) - size) * 0.5) return;
  while (largest.firstChild) largest.parentNode?.insertBefore(largest.firstChild, largest);
  largest.remove();
}

/** Without the text of programs and styles. */
function textLength(element: Element): number {
  let sum = 0;
  for (let child = element.firstChild; child; child = child.nextSibling) {
    if (isText(child)) sum += collapsed(child.data).length;
    else if (isElement(child) && !/^(SCRIPT|STYLE|TEMPLATE)$/.test(child.tagName)) sum += textLength(child);
  }
  return sum;
}

const isHidden = (element: Element): boolean =>
  element.hasAttribute('hidden') ||
  element.getAttribute('aria-hidden') === 'true' ||
  /(^|;)\s*(display\s*:\s*none|visibility\s*:\s*hidden)/i.test(element.getAttribute('style') ?? '');

/** The heading that says what the page's title says, or the only one; kept even if it stands in a page header that goes. */
function titleHeading(document: Document): Element | null {
  const pageTitle = collapsed(document.title).toLowerCase();
  const headings = select(document, 'h1');
  const found =
    headings.find((heading) => {
      const text = collapsed(heading.textContent).toLowerCase();
      return text.length > 3 && pageTitle.includes(text);
    }) ?? headings.find((heading) => headings.length === 1 && heading.closest('main, article') !== null);
  return found ? (found.cloneNode(true) as Element) : null;
}

const MAX_DESCRIPTIONS = 60_000;

export function factsOf(document: Document, url: string): PageFacts {
  const structured = select(document, 'script[type="application/ld+json"]')
    .map((script) => script.textContent ?? '')
    .join('\n')
    .slice(0, MAX_DESCRIPTIONS);
  const types = Array.from(structured.matchAll(/"@type"\s*:\s*"([A-Za-z]+)"/g), ([, type = '']) =>
    type.toLowerCase(),
  );
  const described = select(document, 'meta[name="description"], meta[property="og:description"]').map((tag) =>
    collapsed(tag.getAttribute('content')),
  );
  return {
    url,
    title: collapsed(document.title),
    openGraphType: document.querySelector('meta[property="og:type"]')?.getAttribute('content') ?? '',
    types: ` ${types.join(' ')} `,
    descriptions: [...described, structured].join('\n').toLowerCase(),
  };
}

export function chancesOf(model: Trees, tree: BlockTree, facts: PageFacts): number[] {
  return featuresOf(tree, facts).map((row) => judge(model, row));
}

/**
 * Those blocks whose text gives the best balance (expected F1) of content kept and clutter left out. A page on which the model is
 * unsure of everything so keeps more than one on which it is sure.
 */
export function choose(blocks: readonly Block[], chances: readonly number[]): boolean[] {
  const order = blocks.map((_, at) => at).sort((a, b) => (chances[b] ?? 0) - (chances[a] ?? 0));
  const all = blocks.reduce((sum, { words }, at) => sum + words * (chances[at] ?? 0), 0);
  let [taken, right, best, threshold] = [0, 0, -1, 1];
  for (const at of order) {
    const words = blocks[at]?.words ?? 0;
    taken += words;
    right += words * (chances[at] ?? 0);
    const expected = (2 * right) / Math.max(1, taken + all);
    if (expected > best) [best, threshold] = [expected, chances[at] ?? 0];
  }
  const kept = blocks.map((_, at) => (chances[at] ?? 0) >= threshold);
  for (const [at, block] of blocks.entries()) {
    const isHeading = /^H[1-6]$/.test(block.container.tagName);
    // Nobody writes half of a text: what stands between two kept parts of one element, or heads a kept one, belongs to them.
    const follows = kept[at + 1] && isBeside(block, blocks[at + 1]);
    const isGap = follows && kept[at - 1] && isBeside(block, blocks[at - 1]) && block.words < 60;
    if ((isGap || (isHeading && follows)) && (chances[at] ?? 0) > threshold / GAP) kept[at] = true;
  }
  return kept;
}

/** How much less likely a part may be that its neighbours vouch for. */
const GAP = 4;

const isBeside = (block: Block, other: Block | undefined): boolean =>
  other !== undefined &&
  (other.container === block.container || other.container.parentElement === block.container.parentElement);

function takeOut({ nodes, container }: Block): void {
  for (const node of nodes) node.parentNode?.removeChild(node);
  if (container.tagName === 'PRE') container.remove();
}

/** What held only what went. A cell stays as long as its row has others. */
function removeEmpty(body: Element): void {
  const all = select(body, '*').reverse();
  for (const element of all) {
    if (element.firstChild !== null || VOID.has(element.tagName)) continue;
    if (/^T[DH]$/.test(element.tagName) && element.parentElement && hasText(element.parentElement)) continue;
    element.remove();
  }
}

const VOID = new Set(['IMG', 'BR', 'HR', 'PICTURE', 'SOURCE', 'VIDEO', 'AUDIO']);
const hasText = (element: Element) => collapsed(element.textContent) !== '';

/** Down as long as there is one element and no text beside it. */
function innermost(body: Element): Element {
  let root = body;
  for (;;) {
    const holders = Array.from(root.childNodes).filter(
      (node) => isElement(node) || (isText(node) && node.data.trim() !== ''),
    );
    const [only] = holders;
    if (holders.length !== 1 || !only || !isElement(only) || !WRAPPERS.test(only.tagName) || isCode(only)) {
      return root;
    }
    root = only;
  }
}

/** What is around code alone names its language. */
const isCode = (element: Element) =>
  element.querySelector('pre') !== null && !element.querySelector('p, li, h1, h2, h3');

const WRAPPERS = /^(DIV|SECTION|MAIN|ARTICLE|CENTER|SPAN|FORM)$|-/;
