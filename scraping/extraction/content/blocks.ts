import {
  collapseSpaces,
  hasBlockInside,
  isBlock,
  isElement,
  isText,
  readText,
  select,
} from '../document/dom.ts';
import { HINTS, type Hint, NEVER, readHints } from './element-hints.ts';
import { countWords } from './text-statistics.ts';

/**
 * One run of text: a paragraph, a heading, a table cell, a list item, or the text between two block
 * elements.
 */
export interface Block {
  /** The parent element, and those of its child nodes that hold the text. */
  container: Element;
  nodes: Node[];
  text: string;
  words: number;
  chars: number;
  linkChars: number;
  /** At least 8 words, under 40 % of them in links, with punctuation. */
  isProse: boolean;
  depth: number;
  /** Per hint (index into `HINTS`): depth of the nearest ancestor that has it, or `NEVER`. */
  hints: Int16Array;
  /** The innermost elements with their first classes; blocks built alike share it. */
  tagPath: string;
}

/** Sums over an element's subtree. */
export interface SubtreeTotals {
  words: number;
  chars: number;
  linkChars: number;
  blocks: number;
  /** Words in blocks that are prose. */
  prose: number;
}

export interface BlockTree {
  blocks: Block[];
  totals: Map<Element, SubtreeTotals>;
}

/** Bounds the recursion. Everything below this depth is one block. */
const MAX_DEPTH = 400;

/** Splits an element into blocks in one traversal, in document order. */
export function segmentBlocks(root: Element): BlockTree {
  const blocks: Block[] = [];
  const totals = new Map<Element, SubtreeTotals>();
  const visit = (element: Element, above: Int16Array, depth: number, tagPath: string): SubtreeTotals => {
    const hints = inheritHints(element, above, depth);
    const ownPath = `${tagPath.slice(tagPath.indexOf('>', Math.max(0, tagPath.length - 60)) + 1)}>${element.tagName}.${firstClass(element)}`;
    const sum: SubtreeTotals = { words: 0, chars: 0, linkChars: 0, blocks: 0, prose: 0 };
    let run: Node[] = [];
    const flush = () => {
      if (run.length === 0) return;
      const block = createBlock(element, run, { hints, depth, tagPath: ownPath });
      run = [];
      if (!block) return;
      blocks.push(block);
      addTo(sum, block.words, block.chars, block.linkChars, 1, block.isProse ? block.words : 0);
    };
    const whole = element.tagName === 'PRE' || depth >= MAX_DEPTH;
    for (let child = element.firstChild; child; child = child.nextSibling) {
      // Custom elements and links around a card are inline by name but contain blocks.
      if (isElement(child) && !whole && (isBlock(child) || hasBlockInside(child))) {
        flush();
        const inner = visit(child, hints, depth + 1, ownPath);
        addTo(sum, inner.words, inner.chars, inner.linkChars, inner.blocks, inner.prose);
      } else if (isElement(child) || isText(child)) {
        run.push(child);
      }
    }
    flush();
    totals.set(element, sum);
    return sum;
  };
  visit(root, new Int16Array(HINTS.length).fill(NEVER), 0, '');
  return { blocks, totals };
}

function inheritHints(element: Element, above: Int16Array, depth: number): Int16Array {
  const own = readHints(element);
  if (own.length === 0) return above;
  const hints = above.slice();
  for (const hint of own) hints[hint] = depth;
  return hints;
}

function createBlock(
  container: Element,
  nodes: Node[],
  position: Pick<Block, 'hints' | 'depth' | 'tagPath'>,
): Block | null {
  const text = collapseSpaces(nodes.map(readText).join(''));
  if (text === '') return null;
  const linkChars =
    position.hints[LINK] !== NEVER ? text.length : nodes.reduce((sum, node) => sum + countLinkChars(node), 0);
  const words = countWords(text);
  const chars = text.length;
  const linked = Math.min(linkChars, chars);
  const isProse = words >= 8 && linked < chars * 0.4 && /[.!?:;,。]/.test(text);
  const { hints, depth, tagPath } = position;
  return { container, nodes, text, words, chars, linkChars: linked, isProse, depth, hints, tagPath };
}

const LINK = HINTS.indexOf('link' satisfies Hint);

function countLinkChars(node: Node): number {
  if (!isElement(node)) return 0;
  if (node.tagName === 'A') return collapseSpaces(readText(node)).length;
  return select(node, 'a').reduce((sum, link) => sum + collapseSpaces(readText(link)).length, 0);
}

function addTo(
  sum: SubtreeTotals,
  words: number,
  chars: number,
  linkChars: number,
  blocks: number,
  prose: number,
): void {
  sum.words += words;
  sum.chars += chars;
  sum.linkChars += linkChars;
  sum.blocks += blocks;
  sum.prose += prose;
}

const firstClass = (element: Element) => /[^\s\d]+/.exec(element.getAttribute('class') ?? '')?.[0] ?? '';
