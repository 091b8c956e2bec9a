import type { CONTENT_SCOPES } from '../../../core/jobs/job-schemas.ts';
import { closestTag, collapseSpaces } from '../document/dom.ts';
import type { Block } from './blocks.ts';
import { deduplicateBlocks } from './deduplicate-blocks.ts';
import { HINTS, NEVER } from './element-hints.ts';

/**
 * How much to select where it is unsure what is content: only what is likely, the best balance, or
 * all that may be.
 */
export type ContentScope = (typeof CONTENT_SCOPES)[number];

/** How many times as much as precision recall counts. */
const RECALL_WEIGHT: Record<ContentScope, number> = { precise: 0.5, balanced: 1, complete: 2 };

/**
 * Selects the blocks that are content.
 *
 * @param probabilities per block: that it is content, 0 to 1
 * @returns per block: whether it is selected
 */
export function selectBlocks(
  blocks: readonly Block[],
  probabilities: readonly number[],
  { body, title, scope }: { body: Element; title: string; scope: ContentScope },
): boolean[] {
  const scores = blocks.map((block, at) => scoreBlock(block, probabilities[at] ?? 0));
  const threshold = bestThreshold(blocks, scores, RECALL_WEIGHT[scope]);
  const kept = selectByThreshold(blocks, scores, threshold);
  keepRestOfContainer(blocks, scores, kept, { body, threshold });
  keepTitleHeading(blocks, kept, title.toLowerCase());
  deduplicateBlocks(blocks, kept);
  return kept;
}

/**
 * Selects the blocks above the threshold of best expected F1. The threshold adapts: the less
 * certain the model, the more of the page is kept.
 */
function selectByThreshold(
  blocks: readonly Block[],
  probabilities: readonly number[],
  threshold: number,
): boolean[] {
  const words = blocks.reduce((sum, block) => sum + block.words, 0);
  if (words < FEW_WORDS) return selectOnShortPage(blocks, words);
  const kept = blocks.map((_, at) => (probabilities[at] ?? 0) >= threshold);
  keepWholeElements(blocks, kept);
  for (const [at, block] of blocks.entries()) {
    const isHeading = /^H[1-6]$/.test(block.container.tagName);
    // A block between two selected siblings, or a heading before a selected one, belongs to them.
    const follows = kept[at + 1] && isSibling(block, blocks[at + 1]);
    const isGap = follows && kept[at - 1] && isSibling(block, blocks[at - 1]) && block.words < 60;
    if ((isGap || (isHeading && follows)) && (probabilities[at] ?? 0) > threshold / GAP_FACTOR)
      kept[at] = true;
  }
  return kept;
}

/**
 * Selects the rest of an element that is mostly content: a line of code or a last section that
 * scored low belongs to it, unless it is page chrome, mostly links or very unlikely. Losing an
 * example hurts a text more than one extra line.
 */
function keepRestOfContainer(
  blocks: readonly Block[],
  probabilities: readonly number[],
  kept: boolean[],
  { body, threshold }: { body: Element; threshold: number },
): void {
  const members = new Map<Element, { words: number; kept: number }>();
  let all = 0;
  for (const [at, block] of blocks.entries()) {
    if (kept[at]) all += block.words;
    for (let up: Element | null = block.container; up && up !== body; up = up.parentElement) {
      const sum = members.get(up) ?? { words: 0, kept: 0 };
      sum.words += block.words;
      if (kept[at]) sum.kept += block.words;
      members.set(up, sum);
    }
  }
  // The innermost element with nearly all selected words.
  let holder: Element | null = null;
  for (const [element, sum] of members) {
    if (sum.kept < all * CONTAINER_SHARE || (holder && element.contains(holder))) continue;
    holder = element;
  }
  const sum = holder && members.get(holder);
  if (!holder || !sum || sum.kept < sum.words * MIN_KEPT_SHARE) return;
  const minimum = threshold / CONTAINER_FACTOR;
  for (const [at, block] of blocks.entries()) {
    if (kept[at] || !holder.contains(block.container) || isPageChrome(block)) continue;
    const isCode = closestTag(block.container, 'PRE') !== null;
    if (isCode || ((probabilities[at] ?? 0) > minimum && block.linkChars < block.chars * MAX_LINK_SHARE))
      kept[at] = true;
  }
}

const CONTAINER_SHARE = 0.9;
const MIN_KEPT_SHARE = 0.85;
/** A block inside the container needs only the threshold divided by this. */
const CONTAINER_FACTOR = 2;
const MAX_LINK_SHARE = 0.5;

/**
 * Selects the heading that repeats the title, if it stands shortly before the first selected block.
 */
function keepTitleHeading(blocks: readonly Block[], kept: boolean[], title: string): void {
  const first = kept.indexOf(true);
  for (let at = first - 1; at >= Math.max(0, first - TITLE_DISTANCE); at -= 1) {
    const { container, text, words } = blocks[at] as Block;
    if (words > TITLE_MAX_WORDS) return;
    const heading = collapseSpaces(text).toLowerCase();
    if (!closestTag(container, 'H1', 'H2') || heading.length < 3 || !title.includes(heading)) continue;
    kept[at] = true;
    return;
  }
}

const TITLE_DISTANCE = 6;
const TITLE_MAX_WORDS = 60;

/** Below this the model has too little evidence: everything but page chrome is selected. */
const FEW_WORDS = 100;
const CHROME_HINTS = (['nav', 'footer', 'aside', 'dialog', 'nameCookie', 'nameNav', 'form'] as const).map(
  (hint) => HINTS.indexOf(hint),
);
function selectOnShortPage(blocks: readonly Block[], words: number): boolean[] {
  const inMain = blocks.map(({ hints }) => hints[MAIN] !== NEVER);
  const mainWords = blocks.reduce((sum, block, at) => sum + (inMain[at] ? block.words : 0), 0);
  const kept = blocks.map(
    (block, at) => !isPageChrome(block) && (mainWords < words / 2 || inMain[at] === true),
  );
  return kept.includes(true) ? kept : blocks.map(() => true);
}

const MAIN = HINTS.indexOf('main');
const CONTENT_HINTS = (['main', 'article'] as const).map((hint) => HINTS.indexOf(hint));

/**
 * Whether the block is in page chrome, with no `main` or `article` between the chrome and the
 * block.
 */
function isPageChrome({ hints }: Block, chrome = CHROME_HINTS): boolean {
  const innermost = Math.max(...CONTENT_HINTS.map((hint) => hints[hint] ?? NEVER));
  return chrome.some((hint) => (hints[hint] ?? NEVER) > innermost);
}

/** Elements and roles declared as something other than the page's text. */
const BOILERPLATE_HINTS = (['nav', 'header', 'footer', 'aside', 'dialog'] as const).map((hint) =>
  HINTS.indexOf(hint),
);
/** Factor on the odds of a block inside one of them. */
const BOILERPLATE_ODDS = 0.135;

/**
 * Corrects the probability: the training pages have too few of these elements for the model to
 * weigh them enough.
 */
function scoreBlock(block: Block, probability: number): number {
  if (!isPageChrome(block, BOILERPLATE_HINTS)) return probability;
  return (probability * BOILERPLATE_ODDS) / (probability * BOILERPLATE_ODDS + 1 - probability);
}

/**
 * The threshold with the best expected F1, on average over simulated annotators who would keep more
 * or less of the page. With independent doubt per block, half of a hundred equal cards would count
 * as content; annotators keep all of them or none.
 */
function bestThreshold(
  blocks: readonly Block[],
  probabilities: readonly number[],
  recallWeight: number,
): number {
  const recall = recallWeight ** 2;
  const order = blocks.map((_, at) => at).sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
  const logOdds = probabilities.map(toLogOdds);
  const annotators = QUANTILES.map((quantile) => {
    const wanted = blocks.map(({ words }, at) => words * probabilityFor(quantile, logOdds[at] ?? 0));
    return { wanted, all: wanted.reduce((sum, words) => sum + words, 0), correct: 0 };
  });
  let [selected, best, threshold] = [0, -1, 1];
  for (const at of order) {
    selected += blocks[at]?.words ?? 0;
    let expected = 0;
    for (const annotator of annotators) {
      annotator.correct += annotator.wanted[at] ?? 0;
      expected += annotator.correct / Math.max(1, selected + recall * annotator.all);
    }
    if (expected > best) [best, threshold] = [expected, probabilities[at] ?? 0];
  }
  return threshold;
}

/** Equally frequent annotators: quantiles of the normal distribution. */
const QUANTILES = [1.732, 1.15, 0.812, 0.549, 0.319, 0.105].flatMap((quantile) => [-quantile, quantile]);
/**
 * In log-odds: how far annotators differ, and how much more certain one annotator is than all of
 * them together.
 */
const SPREAD = 2;
const STEEPNESS = 2;

function toLogOdds(probability: number): number {
  const bounded = Math.min(1 - 1e-4, Math.max(1e-4, probability));
  return Math.log(bounded / (1 - bounded));
}

const probabilityFor = (quantile: number, logOdds: number): number =>
  1 / (1 + Math.exp(-STEEPNESS * (logOdds + SPREAD * quantile)));

const WHOLE_TAGS = new Set(['BLOCKQUOTE', 'DL', 'FIGURE', 'PRE', 'TABLE']);
const MAX_WHOLE_WORDS = 400;

/**
 * Keeps a quote, table or list of terms whole if most of it is selected, and a caption if the
 * blocks around its figure are.
 */
function keepWholeElements(blocks: readonly Block[], kept: boolean[]): void {
  const parts = new Map<Element, number[]>();
  for (const [at, { container }] of blocks.entries()) {
    for (let up: Element | null = container, steps = 0; up && steps < 6; up = up.parentElement, steps += 1) {
      if (!WHOLE_TAGS.has(up.tagName)) continue;
      const members = parts.get(up);
      if (members) members.push(at);
      else parts.set(up, [at]);
    }
  }
  for (const [part, members] of parts) {
    const words = (which: number[]) => which.reduce((sum, at) => sum + (blocks[at]?.words ?? 0), 0);
    const all = words(members);
    if (all > MAX_WHOLE_WORDS) continue;
    const [first = 0, last = 0] = [members[0], members.at(-1)];
    const isAmong = part.tagName === 'FIGURE' && kept[first - 1] && kept[last + 1] && all < 40;
    if (isAmong || words(members.filter((at) => kept[at])) > all * 0.6)
      for (const at of members) kept[at] = true;
  }
}

/** A block between selected siblings needs only the threshold divided by this. */
const GAP_FACTOR = 4;

const isSibling = (block: Block, other: Block | undefined): boolean =>
  other !== undefined &&
  (other.container === block.container || other.container.parentElement === block.container.parentElement);
