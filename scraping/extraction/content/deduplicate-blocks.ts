import { nearest } from '../document/dom.ts';
import type { Block } from './blocks.ts';

/** Shorter texts may well be meant each time: a label, a price, a button. */
const MIN_WORDS = 8;
/** Lines of code and cells repeat because what they tell repeats. */
const MEANT = ['PRE', 'TABLE'];

/**
 * Leaves out of what is kept all but the first of blocks that say the same. Pages hold their text several times, for screens of
 * several sizes, behind "read more", or as a preview; a reader sees one of them.
 */
export function leaveOutRepeats(blocks: readonly Block[], kept: boolean[]): void {
  const said = new Set<string>();
  for (const [at, { text, words, container }] of blocks.entries()) {
    if (!kept[at] || words < MIN_WORDS) continue;
    const what = text.toLowerCase();
    if (said.has(what) && !nearest(container, ...MEANT)) kept[at] = false;
    said.add(what);
  }
}
