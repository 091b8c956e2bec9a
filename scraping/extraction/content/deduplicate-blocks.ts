import { closestTag } from '../document/dom.ts';
import type { Block } from './blocks.ts';

/** Shorter texts repeat on purpose: labels, prices, buttons. */
const MIN_WORDS = 8;
/** Lines of code and table cells repeat because their data repeats. */
const REPEATING_TAGS = ['PRE', 'TABLE'];

/**
 * Deselects every selected block whose text repeats an earlier one (case-insensitive). Pages hold a
 * text several times: per screen size, behind "read more", or as a preview. A reader sees one of
 * them. Changes `kept`.
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
