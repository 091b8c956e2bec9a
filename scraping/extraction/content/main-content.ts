import {
  collapseSpaces,
  containsTag,
  hasText,
  isElement,
  isText,
  readText,
  readTitle,
  select,
  selectFirst,
} from '../document/dom.ts';
import { type BlockTree, segmentBlocks } from './blocks.ts';
import { computeFeatures } from './features.ts';
import { decodeTrees, predict, type Trees } from './gradient-boosted-trees.ts';
import { MODEL } from './model.ts';
import type { PageFacts } from './page-features.ts';
import { pruneDom } from './prune-dom.ts';
import { revealPage } from './reveal.ts';
import { type ContentScope, selectBlocks } from './select-blocks.ts';

/**
 * The main content of a page. The page is split into blocks of text; a small model, trained on
 * labelled pages, predicts for each block the probability that it is content; the blocks with the
 * best expected F1 are selected. The rest is pruned from the document, so the content keeps its
 * headings, lists, tables and images. Why a model: docs/internals/decisions/0008-content-by-a-small-model.md.
 * Changes the document.
 */
export function mainContent(document: Document, url: string, scope: ContentScope = 'balanced'): Element {
  const body = readableBody(document);
  const title = titleHeading(document);
  const tree = segmentBlocks(body);
  const probabilities = predictProbabilities(trees(), tree, readPageFacts(document, url));
  pruneDom(
    body,
    tree.blocks,
    selectBlocks(tree.blocks, probabilities, { body, title: readTitle(document), scope }),
  );
  const root = innermost(body);
  trimRules(root);
  if (title && !containsTag(root, TITLES)) root.insertBefore(title, root.firstChild);
  return root;
}

const TITLES = new Set(['H1']);

/** The whole page without its invisible elements. Changes the document. */
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

/** A frameset has no body. */
const pageBody = (document: Document): Element => document.body ?? document.documentElement;

/**
 * The body without non-text and hidden elements, with the content of `noscript` if the page has
 * little else. Changes the document.
 */
export function readableBody(document: Document): Element {
  const body = pageBody(document);
  revealPage(body);
  if (selectFirst(document, 'noscript')) unwrapNoscript(body);
  for (const element of select(body, UNREADABLE)) element.remove();
  for (const element of select(body, '[hidden], [style]')) {
    if (isHidden(element) && !isCollapsible(element)) element.remove();
  }
  return body;
}

const UNREADABLE =
  'script, style, noscript, template, link, meta, base, title, iframe, object, embed, svg, canvas, input, select, textarea, [aria-hidden="true"]';

/** Hidden prose that a click unfolds is content; hidden labels and menus are not. */
const isCollapsible = (element: Element): boolean => {
  const text = collapseSpaces(readText(element));
  return text.length >= 120 && /[.!?]/.test(text);
};

/** A page rendered by scripts may repeat its text in `noscript`. */
function unwrapNoscript(body: Element): void {
  const holders = select(body, 'noscript');
  if (holders.length === 0) return;
  const inside = new Map(holders.map((holder) => [holder, collapseSpaces(readText(holder)).length]));
  const largest = holders.reduce((best, holder) =>
    (inside.get(holder) ?? 0) > (inside.get(best) ?? 0) ? holder : best,
  );
  const size = inside.get(largest) ?? 0;
  const rest = textLength(body) - size;
  // Without anything else it is what the page shows without scripts.
  const isAll = rest === 0 && size > 0;
  if (!isAll && (size < 200 || !largest.querySelector('p, div, li, article, section, h1, h2'))) return;
  if (size < rest * 0.5) return;
  while (largest.firstChild) largest.parentNode?.insertBefore(largest.firstChild, largest);
  largest.remove();
}

/** Characters of text outside scripts, styles and templates. */
function textLength(element: Element): number {
  let sum = 0;
  for (let child = element.firstChild; child; child = child.nextSibling) {
    if (isText(child)) sum += collapseSpaces(child.data).length;
    else if (isElement(child) && !/^(SCRIPT|STYLE|TEMPLATE)$/.test(child.tagName)) sum += textLength(child);
  }
  return sum;
}

const isHidden = (element: Element): boolean =>
  element.hasAttribute('hidden') ||
  element.getAttribute('aria-hidden') === 'true' ||
  /(^|;)\s*(display\s*:\s*none|visibility\s*:\s*hidden)/i.test(element.getAttribute('style') ?? '');

/**
 * The heading that repeats the page's title, else the only heading of the main part. Kept even if
 * the header around it is pruned.
 */
function titleHeading(document: Document): Element | null {
  const pageTitle = readTitle(document).toLowerCase();
  const headings = select(document, 'h1');
  const found =
    headings.find((heading) => {
      const text = collapseSpaces(readText(heading)).toLowerCase();
      return text.length > 3 && pageTitle.includes(text);
    }) ?? headings.find((heading) => headings.length === 1 && heading.closest('main, article') !== null);
  return found ? (found.cloneNode(true) as Element) : null;
}

const MAX_DESCRIPTIONS = 60_000;

export function readPageFacts(document: Document, url: string): PageFacts {
  const structured = select(document, 'script[type="application/ld+json"]')
    .map(readText)
    .join('\n')
    .slice(0, MAX_DESCRIPTIONS);
  const types = Array.from(structured.matchAll(/"@type"\s*:\s*"([A-Za-z]+)"/g), ([, type = '']) =>
    type.toLowerCase(),
  );
  const described = select(document, 'meta[name="description"], meta[property="og:description"]').map((tag) =>
    collapseSpaces(tag.getAttribute('content')),
  );
  return {
    url,
    title: readTitle(document),
    openGraphType: selectFirst(document, 'meta[property="og:type"]')?.getAttribute('content') ?? '',
    types: ` ${types.join(' ')} `,
    descriptions: [...described, structured].join('\n').toLowerCase(),
  };
}

function predictProbabilities(model: Trees, tree: BlockTree, facts: PageFacts): number[] {
  return computeFeatures(tree, facts).map((row) => predict(model, row));
}

/** The innermost wrapper that holds all of the text. */
function innermost(body: Element): Element {
  let root = body;
  for (let depth = 0; depth < MAX_WRAPPERS; depth += 1) {
    const only = onlyWithText(root);
    if (!isElement(only) || !WRAPPERS.test(only.tagName) || isCode(only)) return root;
    root = only;
  }
  return root;
}

/** Bounds the descent: each level scans its children. */
const MAX_WRAPPERS = 100;

/** The only child with text; null if there is none or more than one. */
function onlyWithText(parent: Element): Node | null {
  let only: Node | null = null;
  for (let child = parent.firstChild; child; child = child.nextSibling) {
    if (!hasText(child)) continue;
    if (only) return null;
    only = child;
  }
  return only;
}

/** Removes rules at either end and repeated rules: what they separated is pruned. */
function trimRules(root: Element): void {
  const isRule = (node: Node | null) => isElement(node) && node.tagName === 'HR';
  for (const rule of select(root, 'hr')) {
    let next = rule.nextSibling;
    while (next && !hasText(next) && !isRule(next)) next = next.nextSibling;
    let before = rule.previousSibling;
    while (before && !hasText(before)) before = before.previousSibling;
    if (!next || isRule(next) || !before) rule.remove();
  }
}

/** The wrapper around code alone has the class that names its language. */
const isCode = (element: Element) => containsTag(element, CODE) && !containsTag(element, TEXTS);
const CODE = new Set(['PRE']);
const TEXTS = new Set(['P', 'LI', 'H1', 'H2', 'H3']);

const WRAPPERS = /^(DIV|SECTION|MAIN|ARTICLE|CENTER|SPAN|FORM)$|-/;
