import { parseUrl } from '../../../core/parse-url.ts';
import type { Block, BlockTree, SubtreeTotals } from './blocks.ts';
import { HINTS, type Hint, NEVER } from './element-hints.ts';
import { computeTextStatistics } from './text-statistics.ts';

/** Facts about the page from its head and URL. */
export interface PageFacts {
  url: string;
  title: string;
  openGraphType: string;
  /** schema.org types in JSON-LD, lower case, each between spaces. */
  types: string;
  /** Descriptions in the head and the structured data, lower case. */
  descriptions: string;
}

/** Cap for distances; also "none". */
const FAR = 40;

/**
 * The feature vector of each block, in document order. The model was trained on this order: adding,
 * removing or moving a feature needs a new training run (bench/content/train).
 */
export function computeFeatures({ blocks, totals }: BlockTree, facts: PageFacts): Float32Array[] {
  const traits = blocks.map(describeBlock);
  const page = Float32Array.from(pageFeatures(blocks, traits, facts));
  const byPath = totalsByPath(blocks);
  const chains = proseChains(blocks, totals);
  const repeats = new Map<string, number>();
  for (const { text } of blocks) repeats.set(text, (repeats.get(text) ?? 0) + 1);
  const groups = findGroups(blocks, totals);
  const whole = blocks.reduce((sum, { words }) => sum + words, 0);
  const titleWords = facts.title.toLowerCase();
  let before = 0;
  let heading: { at: number; level: number; topic: number } = { at: -1, level: 0, topic: 0 };
  let firstHeading = -1;

  return blocks.map((block, at) => {
    const { level, topic } = traits[at] as Traits;
    if (level === 1 && firstHeading < 0) firstHeading = at;
    const pathTotals = byPath.get(block.tagPath);
    const row: number[] = [];
    pushTextStatistics(row, block);
    row.push(
      level,
      block.depth,
      at,
      blocks.length - at,
      at / blocks.length,
      before / Math.max(1, whole),
      repeats.get(block.text) ?? 1,
      isIn(titleWords, block.text) ? 1 : 0,
      TAGS.indexOf(block.container.tagName),
      heading.at < 0 ? FAR : Math.min(FAR, at - heading.at),
      heading.level,
      heading.topic,
      firstHeading < 0 ? -1 : Math.min(200, at - firstHeading),
      topic,
      pathTotals?.count ?? 1,
      (pathTotals?.words ?? 0) / Math.max(1, pathTotals?.count ?? 1),
      (pathTotals?.words ?? 0) / Math.max(1, whole),
      (pathTotals?.linkChars ?? 0) / Math.max(1, pathTotals?.chars ?? 1),
      at - (pathTotals?.first ?? at),
      isDescribed(block, facts) ? 1 : 0,
    );
    pushAll(row, groups.get(block.container) ?? NO_GROUP);
    before += block.words;
    if (level > 0) heading = { at, level, topic };
    for (let step = -3; step <= 3; step += 1) if (step !== 0) pushNeighbour(row, block, blocks[at + step]);
    pushWindow(row, blocks, at);
    pushAncestors(row, block, totals, whole);
    for (const chain of chains) row.push(distanceTo(block, chain));
    // Hints and page features are copied into a typed array: growing a list for them is slow.
    const features = new Float32Array(row.length + HINTS.length + page.length);
    features.set(row);
    for (let hint = 0; hint < HINTS.length; hint += 1) {
      const depth = block.hints[hint] as number;
      features[row.length + hint] = depth === NEVER ? FAR : Math.min(FAR - 1, block.depth - depth);
    }
    features.set(page, row.length + HINTS.length);
    return features;
  });
}

/** Properties that the features of several blocks use. */
interface Traits {
  /** Heading level 1 to 6; 0 for other blocks. */
  level: number;
  topic: number;
}

const describeBlock = (block: Block): Traits => ({
  level: headingLevel(block),
  topic: classifyTopic(block.text),
});

function pushAll(row: number[], numbers: readonly number[]): void {
  for (const number of numbers) row.push(number);
}

/** Whether a lower-case text contains another, ignoring its case. */
const isIn = (lower: string, text: string): boolean =>
  text.length <= lower.length && lower.includes(text.toLowerCase());

const TAGS = 'P DIV LI TD H1 H2 H3 H4 H5 H6 SPAN A PRE DT DD BLOCKQUOTE SECTION ARTICLE BUTTON TH'.split(' ');

const isDescribed = ({ text, chars }: Block, facts: PageFacts): boolean =>
  chars >= 20 && facts.descriptions.includes(text.slice(0, 200).toLowerCase());

const HEADINGS = ['H1', 'H2', 'H3', 'H4', 'H5', 'H6'];

const headingLevel = ({ container }: Block): number => {
  for (let element: Element | null = container, up = 0; element && up < 3; up += 1) {
    const level = HEADINGS.indexOf(element.tagName) + 1;
    if (level > 0) return level;
    element = element.parentElement;
  }
  return 0;
};

function pushTextStatistics(row: number[], { text, words, chars, linkChars }: Block): void {
  const some = text.slice(0, 1000);
  const { punctuation, digits, capitals, smallWords } = computeTextStatistics(some);
  row.push(
    words,
    linkChars / chars,
    chars / Math.max(1, words),
    /[.!?。:]["”’)]?$/.test(text.slice(-2)) ? 1 : 0,
    punctuation / some.length,
    digits / some.length,
    capitals / some.length,
    /[$€£¥]\s?\d|\d\s?(€|kr|zł|USD|EUR)/.test(some) ? 1 : 0,
    /[|•·›»>/]/.test(some) ? 1 : 0,
    smallWords / Math.max(1, words),
    text.endsWith('?') ? 1 : 0,
  );
}

/**
 * Index (from 1) of the boilerplate topic that a short text matches, 0 for none. Boilerplate uses
 * much the same words on every site.
 */
function classifyTopic(text: string): number {
  if (text.length > 200) return 0;
  const at = TOPICS.findIndex((pattern) => pattern.test(text));
  return at + 1;
}

const TOPICS = [
  /related|you (may|might)( also)?|also (like|bought|viewed)|recommend|similar|recently viewed|more from|read (next|more)|trending|most (popular|read)|latest|keep reading|up next|customers who|people also|frequently bought|pairs? well|complete the look|explore more/i,
  /cookie|consent|privacy policy|terms (of|and)|©|copyright|all rights reserved/i,
  /subscribe|newsletter|sign ?up|e-?mail address|your inbox|join (our|the|us)|get \d+% off/i,
  /log ?in|sign ?in|register|create (an )?account|my account|forgot/i,
  /\bshare\b|tweet|follow us|facebook|instagram|pinterest|linkedin|whatsapp|copy link/i,
  /add to (cart|bag|basket|wishlist)|checkout|buy now|in stock|sold out|out of stock|free shipping|free returns|quantity|size guide/i,
  /\b(reply|replies|quote|report|like|likes|upvote|vote|views?|joined|posts?|members?|moderator|permalink)\b/i,
  /\bcomments?\b|leave a (comment|reply)|reviews?\b|ratings?\b|out of 5/i,
  /^(by|written by|posted by|author|updated|published)\b|min read|minutes? ago|hours? ago|days? ago/i,
  /^(home|menu|search|close|next|previous|back|skip|show more|load more|view all|see all|learn more|read more|filter|sort|clear|apply|shop now|contact us?)\b/i,
  /description|details|specifications?|features|overview|ingredients|dimensions|materials?|care instructions|what'?s (included|in the box)|about this|product info/i,
  /faq|frequently asked|questions/i,
  /advertisement|sponsored/i,
];

function pushNeighbour(row: number[], block: Block, other: Block | undefined): void {
  if (!other) {
    row.push(-1, -1, -1, -1);
    return;
  }
  row.push(
    other.words,
    other.linkChars / other.chars,
    other.tagPath === block.tagPath ? 1 : 0,
    other.container.parentElement === block.container.parentElement ? 1 : 0,
  );
}

/** Sums over the 8 blocks on each side. */
function pushWindow(row: number[], blocks: readonly Block[], at: number): void {
  let [words, chars, linkChars, prose] = [0, 0, 0, 0];
  for (let near = Math.max(0, at - 8); near < Math.min(blocks.length, at + 9); near += 1) {
    const block = blocks[near] as Block;
    words += block.words;
    chars += block.chars;
    linkChars += block.linkChars;
    if (block.isProse) prose += 1;
  }
  row.push(words, linkChars / Math.max(1, chars), prose);
}

/** The four nearest ancestors that add blocks, innermost first. */
function pushAncestors(
  row: number[],
  block: Block,
  totals: ReadonlyMap<Element, SubtreeTotals>,
  whole: number,
): void {
  let element: Element | null = block.container;
  let last: SubtreeTotals | undefined;
  for (let found = 0; found < 4; ) {
    const sum: SubtreeTotals | undefined = element ? (totals.get(element) ?? last) : last;
    // An ancestor with the same blocks adds no information.
    if (element && sum && last && sum.blocks === last.blocks) {
      element = element.parentElement;
      continue;
    }
    last = sum;
    found += 1;
    row.push(
      sum?.words ?? 0,
      (sum?.words ?? 0) / Math.max(1, whole),
      (sum?.linkChars ?? 0) / Math.max(1, sum?.chars ?? 1),
      (sum?.prose ?? 0) / Math.max(1, sum?.words ?? 1),
      sum?.blocks ?? 0,
    );
    element = element?.parentElement ?? null;
  }
}

/** Features of a block outside any group: size, totals, index, distance. */
const NO_GROUP = [0, 0, 0, 0, 0, 0, FAR];

/**
 * Per block container: features of the nearest ancestor that has at least two similar siblings,
 * such as a card in a grid or a post in a thread.
 */
function findGroups(
  blocks: readonly Block[],
  totals: ReadonlyMap<Element, SubtreeTotals>,
): Map<Element, number[]> {
  const own = new Map<Element, number[]>();
  const seen = new Set<Element>();
  const groupChildren = (parent: Element) => {
    if (seen.has(parent)) return;
    seen.add(parent);
    const kinds = new Map<string, Element[]>();
    for (let child = parent.firstElementChild; child; child = child.nextElementSibling) {
      if ((totals.get(child)?.blocks ?? 0) === 0) continue;
      const kind = groupKey(child);
      const alike = kinds.get(kind);
      if (alike) alike.push(child);
      else kinds.set(kind, [child]);
    }
    for (const alike of kinds.values()) {
      if (alike.length < 3) continue;
      const numbers = groupStatistics(alike, totals);
      for (const [at, element] of alike.entries()) own.set(element, [...numbers, at, 0]);
    }
  };
  const known = new Map<Element, number[]>();
  const findGroup = (element: Element): number[] => {
    const found = known.get(element);
    if (found) return found;
    const parent = element.parentElement;
    let group = NO_GROUP;
    if (parent && totals.has(parent)) {
      groupChildren(parent);
      const outer = own.get(element) ?? findGroup(parent);
      const isOwn = own.has(element) || outer === NO_GROUP;
      group = isOwn ? outer : [...outer.slice(0, -1), Math.min(FAR, (outer.at(-1) ?? 0) + 1)];
    }
    known.set(element, group);
    return group;
  };
  for (const { container } of blocks) findGroup(container);
  return known;
}

const groupKey = (element: Element): string =>
  `${element.tagName}.${element.getAttribute('class')?.split(/\s/)[0] ?? ''}`;

function groupStatistics(alike: readonly Element[], totals: ReadonlyMap<Element, SubtreeTotals>): number[] {
  let [words, chars, linkChars, blocks, prose] = [0, 0, 0, 0, 0];
  for (const element of alike) {
    const sum = totals.get(element);
    words += sum?.words ?? 0;
    chars += sum?.chars ?? 0;
    linkChars += sum?.linkChars ?? 0;
    blocks += sum?.blocks ?? 0;
    prose += sum?.prose ?? 0;
  }
  return [
    alike.length,
    words / alike.length,
    linkChars / Math.max(1, chars),
    blocks / alike.length,
    prose / Math.max(1, words),
  ];
}

interface PathTotals {
  count: number;
  words: number;
  chars: number;
  linkChars: number;
  first: number;
}

function totalsByPath(blocks: readonly Block[]): Map<string, PathTotals> {
  const byPath = new Map<string, PathTotals>();
  blocks.forEach((block, at) => {
    const sum = byPath.get(block.tagPath) ?? { count: 0, words: 0, chars: 0, linkChars: 0, first: at };
    sum.count += 1;
    sum.words += block.words;
    sum.chars += block.chars;
    sum.linkChars += block.linkChars;
    byPath.set(block.tagPath, sum);
  });
  return byPath;
}

/**
 * For each share: the chain from the root down to the smallest element that holds that share of the
 * page's prose.
 */
function proseChains(blocks: readonly Block[], totals: ReadonlyMap<Element, SubtreeTotals>): Chain[] {
  const root = findRoot(blocks, totals);
  return [0.35, 0.6, 0.85].map((part) => {
    const chain: Chain = new Map();
    let element = root;
    const whole = root ? (totals.get(root)?.prose ?? 0) : 0;
    while (element) {
      chain.set(element, chain.size);
      element = whole > 0 ? firstChildWith(element, whole * part, totals) : undefined;
    }
    return chain;
  });
}

/** Nested elements, outermost first, with their index. */
type Chain = Map<Element, number>;

function firstChildWith(
  element: Element,
  prose: number,
  totals: ReadonlyMap<Element, SubtreeTotals>,
): Element | undefined {
  for (let child = element.firstElementChild; child; child = child.nextElementSibling) {
    if ((totals.get(child)?.prose ?? 0) >= prose) return child;
  }
  return undefined;
}

function findRoot(
  blocks: readonly Block[],
  totals: ReadonlyMap<Element, SubtreeTotals>,
): Element | undefined {
  let element: Element | undefined = blocks[0]?.container;
  while (element?.parentElement && totals.has(element.parentElement)) element = element.parentElement;
  return element;
}

/** How far above the end of the chain the block branches off; 0 inside the last element. */
function distanceTo(block: Block, chain: Chain): number {
  for (let element: Element | null = block.container; element; element = element.parentElement) {
    const depth = chain.get(element);
    if (depth !== undefined) return chain.size - depth - 1;
  }
  return FAR;
}

function pageFeatures(blocks: readonly Block[], traits: readonly Traits[], facts: PageFacts): number[] {
  const sum = (of: (block: Block) => number) => blocks.reduce((total, block) => total + of(block), 0);
  const words = sum((block) => block.words);
  const chars = sum((block) => block.chars);
  const has = (hint: Hint) => {
    const at = HINTS.indexOf(hint);
    return sum((block) => (block.hints[at] === NEVER ? 0 : block.words)) / Math.max(1, words);
  };
  const path = parseUrl(facts.url);
  const steps = path?.pathname.split('/').filter(Boolean) ?? [];
  return [
    blocks.length,
    words,
    sum((block) => block.linkChars) / Math.max(1, chars),
    sum((block) => (block.isProse ? block.words : 0)) / Math.max(1, words),
    sum((block) => (block.isProse ? 1 : 0)),
    sum((block) => (/[$€£]\s?\d/.test(block.text.slice(0, 200)) ? 1 : 0)),
    sum((block) => (block.container.tagName === 'PRE' ? 1 : 0)),
    traits.filter(({ level }) => level === 1).length,
    traits.filter(({ level }) => level === 2 || level === 3).length,
    has('main'),
    has('article'),
    has('nameForum'),
    has('nameProduct'),
    has('nameComment'),
    has('nameContent'),
    has('noscript'),
    has('table'),
    steps.length,
    steps.at(-1)?.split(/[-_]/).length ?? 0,
    /^(article|blog)/.test(facts.openGraphType)
      ? 1
      : /product/.test(facts.openGraphType)
        ? 2
        : facts.openGraphType === ''
          ? 0
          : 3,
    / (newsarticle|article|blogposting|report|techarticle) /.test(facts.types) ? 1 : 0,
    / (product|productgroup|offer|aggregateoffer) /.test(facts.types) ? 1 : 0,
    / (discussionforumposting|qapage|question|answer) /.test(facts.types) ? 1 : 0,
    / (itemlist|collectionpage|searchresultspage) /.test(facts.types) ? 1 : 0,
    / (faqpage|localbusiness|service|organization) /.test(facts.types) ? 1 : 0,
    /\/(p|dp|product|products|item|itm|shop)\//.test(path?.pathname ?? '') ? 1 : 0,
    /\/(collections?|category|categories|c|shop|plp|cat|browse)\//.test(path?.pathname ?? '') ? 1 : 0,
    /forum|community|thread|topic|discuss|\/t\/|questions|viewtopic|talk/.test(facts.url) ? 1 : 0,
    /docs?\b|documentation|manual|reference|api|guide|tutorial|wiki/.test(facts.url) ? 1 : 0,
    /blog|news|article|post|\/20\d\d\//.test(facts.url) ? 1 : 0,
  ];
}
