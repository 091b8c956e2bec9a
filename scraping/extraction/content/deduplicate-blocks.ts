import { closestTag } from '../document/dom.ts';
import type { Block } from './blocks.ts';

/** Shorter texts may well be meant each time: a label, a price, a button. */
const MIN_WORDS = 8;
/** Lines of code and cells repeat because what they tell repeats. */
const REPEATING_TAGS = ['PRE', 'TABLE'];

/**
 * Leaves out of what is kept all but the first of blocks that say the same. Pages hold their text several times, for screens of
 * several sizes, behind "read more", or as a preview; a reader sees one of them.
 */
export function deduplicateBlocks(blocks: readonly Block[], kept: boolean[]): void {
  const seen = new Set<string>();
  for (const [at, { text, words, container }] of blocks.entries()) {
    if (!kept[at] || words < MIN_WORDS) continue;
    const key = text.toLowerCase();
    if (seen.has(key) && !closestTag(container, ...REPEATING_TAGS)) kept[at] = false;
    seen.add(key);
  }
}
