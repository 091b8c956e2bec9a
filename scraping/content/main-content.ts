import { type Block, type BlockTree, blocksOf } from './blocks.ts';
import {
  collapsed,
  hasText,
  holds,
  isElement,
  isText,
  nearest,
  select,
  selectFirst,
  textOf,
  titleOf,
} from './dom.ts';
import { featuresOf, type PageFacts } from './features.ts';
import { MARKS, NEVER } from './marks.ts';
import { MODEL } from './model.ts';
import { leaveOutRepeats } from './repeats.ts';
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
  takeOut(body, tree.blocks, keptOf(tree.blocks, chances, { body, title: titleOf(document) }));
  const root = innermost(body);
  trimRules(root);
  if (title && !holds(root, TITLES)) root.insertBefore(title, root.firstChild);
  return root;
}

const TITLES = new Set(['H1']);

/** Which blocks stay, by how likely each is content. */
export function keptOf(
  blocks: readonly Block[],
  chances: readonly number[],
  { body, title }: { body: Element; title: string },
): boolean[] {
  const likely = blocks.map((block, at) => likelyOf(block, chances[at] ?? 0));
  const threshold = bestThreshold(blocks, likely);
  const kept = choose(blocks, likely, threshold);
  keepRest(blocks, likely, kept, { body, threshold });
  keepOpening(blocks, kept, title.toLowerCase());
  leaveOutRepeats(blocks, kept);
  return kept;
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
  if (selectFirst(document, 'noscript')) unwrapNoscript(body);
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
  const text = collapsed(textOf(element));
  return text.length >= 120 && /[.!?]/.test(text);
};

/** A page that draws itself by script may give its text to others in `noscript`. */
function unwrapNoscript(body: Element): void {
  const holders = select(body, 'noscript');
  if (holders.length === 0) return;
  const inside = new Map(holders.map((holder) => [holder, collapsed(textOf(holder)).length]));
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
  const pageTitle = titleOf(document).toLowerCase();
  const headings = select(document, 'h1');
  const found =
    headings.find((heading) => {
      const text = collapsed(textOf(heading)).toLowerCase();
      return text.length > 3 && pageTitle.includes(text);
    }) ?? headings.find((heading) => headings.length === 1 && heading.closest('main, article') !== null);
  return found ? (found.cloneNode(true) as Element) : null;
}

const MAX_DESCRIPTIONS = 60_000;

export function factsOf(document: Document, url: string): PageFacts {
  const structured = select(document, 'script[type="application/ld+json"]')
    .map(textOf)
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
    title: titleOf(document),
    openGraphType: selectFirst(document, 'meta[property="og:type"]')?.getAttribute('content') ?? '',
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
function choose(blocks: readonly Block[], chances: readonly number[], threshold: number): boolean[] {
  const words = blocks.reduce((sum, block) => sum + block.words, 0);
  if (words < FEW_WORDS) return chooseOfFew(blocks, words);
  const kept = blocks.map((_, at) => (chances[at] ?? 0) >= threshold);
  keepWholeParts(blocks, kept);
  for (const [at, block] of blocks.entries()) {
    const isHeading = /^H[1-6]$/.test(block.container.tagName);
    // Nobody writes half of a text: what stands between two kept parts of one element, or heads a kept one, belongs to them.
    const follows = kept[at + 1] && isBeside(block, blocks[at + 1]);
    const isGap = follows && kept[at - 1] && isBeside(block, blocks[at - 1]) && block.words < 60;
    if ((isGap || (isHeading && follows)) && (chances[at] ?? 0) > threshold / GAP) kept[at] = true;
  }
  return kept;
}

/**
 * An element of which most is content is content: what the model doubts there, a line of code or a last section, belongs to it, unless
 * it is a piece of frame, mostly links or very unlikely. A text that loses its example reads worse than one that gains a line.
 */
function keepRest(
  blocks: readonly Block[],
  chances: readonly number[],
  kept: boolean[],
  { body, threshold }: { body: Element; threshold: number },
): void {
  const inside = new Map<Element, { words: number; kept: number }>();
  let all = 0;
  for (const [at, block] of blocks.entries()) {
    if (kept[at]) all += block.words;
    for (let up: Element | null = block.container; up && up !== body; up = up.parentElement) {
      const sum = inside.get(up) ?? { words: 0, kept: 0 };
      sum.words += block.words;
      if (kept[at]) sum.kept += block.words;
      inside.set(up, sum);
    }
  }
  // The innermost that has nearly all of it.
  let holder: Element | null = null;
  for (const [element, sum] of inside) {
    if (sum.kept < all * HOLDS || (holder && element.contains(holder))) continue;
    holder = element;
  }
  const sum = holder && inside.get(holder);
  if (!holder || !sum || sum.kept < sum.words * MOSTLY) return;
  const doubted = threshold / DOUBT;
  for (const [at, block] of blocks.entries()) {
    if (kept[at] || !holder.contains(block.container) || isFrame(block)) continue;
    const isCode = nearest(block.container, 'PRE') !== null;
    if (isCode || ((chances[at] ?? 0) > doubted && block.linkChars < block.chars * LINKED)) kept[at] = true;
  }
}

const HOLDS = 0.9;
const MOSTLY = 0.85;
/** How much less likely than what is kept a part may be. */
const DOUBT = 2;
const LINKED = 0.5;

/** A page begins with its name: a heading that says the title, shortly before what is kept first. */
function keepOpening(blocks: readonly Block[], kept: boolean[], title: string): void {
  const first = kept.indexOf(true);
  for (let at = first - 1; at >= Math.max(0, first - OPENING); at -= 1) {
    const { container, text, words } = blocks[at] as Block;
    if (words > OPENING_WORDS) return;
    const says = collapsed(text).toLowerCase();
    if (!nearest(container, 'H1', 'H2') || says.length < 3 || !title.includes(says)) continue;
    kept[at] = true;
    return;
  }
}

const OPENING = 6;
const OPENING_WORDS = 60;

/** On a page of a few words there is little to learn from, and little to lose by all but its frame. */
const FEW_WORDS = 100;
const FRAME_MARKS = (['nav', 'footer', 'aside', 'dialog', 'nameCookie', 'nameNav', 'form'] as const).map(
  (mark) => MARKS.indexOf(mark),
);
function chooseOfFew(blocks: readonly Block[], words: number): boolean[] {
  const inMain = blocks.map(({ marks }) => marks[MAIN] !== NEVER);
  const mainWords = blocks.reduce((sum, block, at) => sum + (inMain[at] ? block.words : 0), 0);
  const kept = blocks.map((block, at) => !isFrame(block) && (mainWords < words / 2 || inMain[at] === true));
  return kept.includes(true) ? kept : blocks.map(() => true);
}

const MAIN = MARKS.indexOf('main');
const CONTENT_MARKS = (['main', 'article'] as const).map((mark) => MARKS.indexOf(mark));

/** In a part of the frame that has no content element between it and the block. */
function isFrame({ marks }: Block, frame = FRAME_MARKS): boolean {
  const innermost = Math.max(...CONTENT_MARKS.map((mark) => marks[mark] ?? NEVER));
  return frame.some((mark) => (marks[mark] ?? NEVER) > innermost);
}

/** Elements and roles that say of themselves that they are not the page's text. */
const BESIDE_MARKS = (['nav', 'header', 'footer', 'aside', 'dialog'] as const).map((mark) =>
  MARKS.indexOf(mark),
);
/** How much of its odds is left to what stands in one of them. */
const BESIDE = 0.135;

/** The model knows these elements from few sites each and makes too little of them. */
function likelyOf(block: Block, chance: number): number {
  if (!isFrame(block, BESIDE_MARKS)) return chance;
  return (chance * BESIDE) / (chance * BESIDE + 1 - chance);
}

/**
 * How likely a part must be to stay: the balance is best on average over readers who would keep more of this page and readers who
 * would keep less. Were each block doubted for itself, half of a hundred cards would seem sure to be content; but people want
 * all of them or none.
 */
function bestThreshold(blocks: readonly Block[], chances: readonly number[]): number {
  const order = blocks.map((_, at) => at).sort((a, b) => (chances[b] ?? 0) - (chances[a] ?? 0));
  const logOdds = chances.map(logOddsOf);
  const readers = TASTES.map((taste) => {
    const wanted = blocks.map(({ words }, at) => words * chanceFor(taste, logOdds[at] ?? 0));
    return { wanted, all: wanted.reduce((sum, words) => sum + words, 0), right: 0 };
  });
  let [taken, best, threshold] = [0, -1, 1];
  for (const at of order) {
    taken += blocks[at]?.words ?? 0;
    let expected = 0;
    for (const reader of readers) {
      reader.right += reader.wanted[at] ?? 0;
      expected += reader.right / Math.max(1, taken + reader.all);
    }
    if (expected > best) [best, threshold] = [expected, chances[at] ?? 0];
  }
  return threshold;
}

/** Readers, each as frequent as the others: quantiles of the normal distribution. */
const TASTES = [1.732, 1.15, 0.812, 0.549, 0.319, 0.105].flatMap((taste) => [-taste, taste]);
/** In log-odds: how far readers differ, and how much surer one is of a part than what is known of all of them. */
const SPREAD = 2;
const SURER = 2;

function logOddsOf(chance: number): number {
  const sure = Math.min(1 - 1e-4, Math.max(1e-4, chance));
  return Math.log(sure / (1 - sure));
}

const chanceFor = (taste: number, logOdds: number): number =>
  1 / (1 + Math.exp(-SURER * (logOdds + SPREAD * taste)));

const WHOLE = new Set(['BLOCKQUOTE', 'DL', 'FIGURE', 'PRE', 'TABLE']);
const MAX_WHOLE = 400;

/** A quote, a table or a list of terms is kept as one where most of it is; a caption, where what is around its figure is. */
function keepWholeParts(blocks: readonly Block[], kept: boolean[]): void {
  const parts = new Map<Element, number[]>();
  for (const [at, { container }] of blocks.entries()) {
    for (let up: Element | null = container, steps = 0; up && steps < 6; up = up.parentElement, steps += 1) {
      if (!WHOLE.has(up.tagName)) continue;
      const inside = parts.get(up);
      if (inside) inside.push(at);
      else parts.set(up, [at]);
    }
  }
  for (const [part, inside] of parts) {
    const words = (which: number[]) => which.reduce((sum, at) => sum + (blocks[at]?.words ?? 0), 0);
    const all = words(inside);
    if (all > MAX_WHOLE) continue;
    const [first = 0, last = 0] = [inside[0], inside.at(-1)];
    const isAmong = part.tagName === 'FIGURE' && kept[first - 1] && kept[last + 1] && all < 40;
    if (isAmong || words(inside.filter((at) => kept[at])) > all * 0.6)
      for (const at of inside) kept[at] = true;
  }
}

/** How much less likely a part may be that its neighbours vouch for. */
const GAP = 4;

const isBeside = (block: Block, other: Block | undefined): boolean =>
  other !== undefined &&
  (other.container === block.container || other.container.parentElement === block.container.parentElement);

/**
 * Removes what is not kept: its text, and with it whatever held only such text, pictures included. Pictures that stand among kept
 * text stay; those of menus and the page's frame go.
 */
function takeOut(body: Element, blocks: readonly Block[], kept: readonly boolean[]): void {
  const holders = new Set<Element>();
  for (const [at, { container }] of blocks.entries()) {
    if (!kept[at]) continue;
    for (let up: Element | null = container; up && !holders.has(up); up = up.parentElement) holders.add(up);
  }
  const all = select(body, '*');
  const figures = partsOfFigures(all);
  const staysEmpty = (element: Element) => figures.has(element) || isCellOfRow(element);
  for (const [at, { nodes, container }] of blocks.entries()) {
    if (kept[at]) continue;
    const isFigure = figures.has(container);
    for (const node of nodes) if (!isFigure || isText(node)) node.parentNode?.removeChild(node);
    let empty: Element | null = container;
    while (empty && empty !== body && !holders.has(empty) && !staysEmpty(empty)) {
      const parent: Element | null = empty.parentElement;
      empty.remove();
      empty = parent;
    }
  }
  for (const element of all) if (isFrameOfPage(element) && !holders.has(element)) element.remove();
  // With all that is in them at once: domino tells every removal to all elements around it.
  const gone = new Set<Element>();
  for (const element of all.reverse()) {
    if (holdsOnly(element, gone) && !VOID.has(element.tagName) && !staysEmpty(element)) gone.add(element);
  }
  for (const element of gone) {
    if (!element.parentElement || !gone.has(element.parentElement)) element.remove();
  }
}

function holdsOnly(element: Element, gone: ReadonlySet<Element>): boolean {
  for (let child = element.firstChild; child; child = child.nextSibling) {
    if (!isElement(child) || !gone.has(child)) return false;
  }
  return true;
}

const FRAME_TAGS = new Set(['NAV', 'ASIDE', 'FOOTER', 'HEADER', 'FORM']);
const FRAME_ROLES = new Set(['navigation', 'banner', 'contentinfo']);
const isFrameOfPage = (element: Element): boolean =>
  FRAME_TAGS.has(element.tagName) || FRAME_ROLES.has(element.getAttribute('role') ?? '');
const VOID = new Set(['IMG', 'BR', 'HR', 'PICTURE', 'SOURCE', 'VIDEO', 'AUDIO']);

/** Figures and all that is in them; of elements in document order. */
function partsOfFigures(elements: readonly Element[]): Set<Element> {
  const parts = new Set<Element>();
  for (const element of elements) {
    if (element.tagName === 'FIGURE' || (element.parentElement && parts.has(element.parentElement)))
      parts.add(element);
  }
  return parts;
}

/** A cell of a row that has others. */
function isCellOfRow({ tagName, parentElement }: Element): boolean {
  return (tagName === 'TD' || tagName === 'TH') && parentElement !== null && hasText(parentElement);
}

/** Down to the smallest element with all of the text. */
function innermost(body: Element): Element {
  let root = body;
  for (let depth = 0; depth < MAX_WRAPPERS; depth += 1) {
    const only = onlyWithText(root);
    if (!isElement(only) || !WRAPPERS.test(only.tagName) || isCode(only)) return root;
    root = only;
  }
  return root;
}

/** One in the other. More than any page for people has; each is looked into. */
const MAX_WRAPPERS = 100;

/** The one child with all of the text, if there is one. */
function onlyWithText(parent: Element): Node | null {
  let only: Node | null = null;
  for (let child = parent.firstChild; child; child = child.nextSibling) {
    if (!hasText(child)) continue;
    if (only) return null;
    only = child;
  }
  return only;
}

/** Rules at the ends, and all but one of several in a row, parted things that are gone. */
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

/** What is around code alone names its language. */
const isCode = (element: Element) => holds(element, CODE) && !holds(element, TEXTS);
const CODE = new Set(['PRE']);
const TEXTS = new Set(['P', 'LI', 'H1', 'H2', 'H3']);

const WRAPPERS = /^(DIV|SECTION|MAIN|ARTICLE|CENTER|SPAN|FORM)$|-/;
