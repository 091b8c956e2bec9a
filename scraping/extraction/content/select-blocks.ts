import { collapsed, nearest } from '../document/dom.ts';
import type { Block } from './blocks.ts';
import { leaveOutRepeats } from './deduplicate-blocks.ts';
import { MARKS, NEVER } from './element-hints.ts';

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
