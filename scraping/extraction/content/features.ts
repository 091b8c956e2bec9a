import type { Block, BlockTree } from './blocks.ts';
import { HINTS, NEVER } from './element-hints.ts';
import { type PageFacts, pageFeatures } from './page-features.ts';
import { computeTextStatistics } from './text-statistics.ts';
import { distanceTo, FAR, findGroups, NO_GROUP, proseChains, pushAncestors } from './tree-features.ts';

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
