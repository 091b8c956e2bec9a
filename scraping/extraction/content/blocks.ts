import { collapsed, hasBlockInside, isBlock, isElement, isText, select, textOf } from '../document/dom.ts';
import { MARKS, type Mark, marksOf, NEVER } from './element-hints.ts';
import { countWords } from './text-statistics.ts';

/** A run of text that reads as one: a paragraph, a heading, a cell, an item, or text between blocks. */
export interface Block {
  /** The element it stands in, and those of its children that make it up. */
  container: Element;
  nodes: Node[];
  text: string;
  words: number;
  chars: number;
  linkChars: number;
  /** Reads as sentences. */
  isProse: boolean;
  depth: number;
  /** For each mark the depth at which it was last met on the way here, or `NEVER`. */
  marks: Int16Array;
  /** Blocks of one make share it: the innermost elements with their classes. */
  make: string;
}

/** What is inside of an element, all told. */
export interface Inside {
  words: number;
  chars: number;
  linkChars: number;
  blocks: number;
  /** Words of blocks that are prose. */
  prose: number;
}

export interface BlockTree {
  blocks: Block[];
  inside: Map<Element, Inside>;
}

/** Deeper than any page for people; what lies below is one block. */
const MAX_DEPTH = 400;

/** Cuts an element into its blocks, in one walk. */
export function blocksOf(root: Element): BlockTree {
  const blocks: Block[] = [];
  const inside = new Map<Element, Inside>();
  const visit = (element: Element, above: Int16Array, depth: number, make: string): Inside => {
    const marks = markedBelow(element, above, depth);
    const ownMake = `${make.slice(make.indexOf('>', Math.max(0, make.length - 60)) + 1)}>${element.tagName}.${firstClass(element)}`;
    const sum: Inside = { words: 0, chars: 0, linkChars: 0, blocks: 0, prose: 0 };
    let run: Node[] = [];
    const flush = () => {
      if (run.length === 0) return;
      const block = blockOf(element, run, { marks, depth, make: ownMake });
      run = [];
      if (!block) return;
      blocks.push(block);
      add(sum, block.words, block.chars, block.linkChars, 1, block.isProse ? block.words : 0);
    };
    const whole = element.tagName === 'PRE' || depth >= MAX_DEPTH;
    for (let child = element.firstChild; child; child = child.nextSibling) {
      // Some are inline by name and hold blocks all the same, such as components and links around a card.
      if (isElement(child) && !whole && (isBlock(child) || hasBlockInside(child))) {
        flush();
        const inner = visit(child, marks, depth + 1, ownMake);
        add(sum, inner.words, inner.chars, inner.linkChars, inner.blocks, inner.prose);
      } else if (isElement(child) || isText(child)) {
        run.push(child);
      }
    }
    flush();
    inside.set(element, sum);
    return sum;
  };
  visit(root, new Int16Array(MARKS.length).fill(NEVER), 0, '');
  return { blocks, inside };
}

function markedBelow(element: Element, above: Int16Array, depth: number): Int16Array {
  const own = marksOf(element);
  if (own.length === 0) return above;
  const marks = above.slice();
  for (const mark of own) marks[mark] = depth;
  return marks;
}

function blockOf(
  container: Element,
  nodes: Node[],
  place: Pick<Block, 'marks' | 'depth' | 'make'>,
): Block | null {
  const text = collapsed(nodes.map(textOf).join(''));
  if (text === '') return null;
  const linkChars =
    place.marks[LINK] !== NEVER ? text.length : nodes.reduce((sum, node) => sum + linkCharsOf(node), 0);
  const words = countWords(text);
  const chars = text.length;
  const linked = Math.min(linkChars, chars);
  const isProse = words >= 8 && linked < chars * 0.4 && /[.!?:;,。]/.test(text);
  const { marks, depth, make } = place;
  return { container, nodes, text, words, chars, linkChars: linked, isProse, depth, marks, make };
}

const LINK = MARKS.indexOf('link' satisfies Mark);

function linkCharsOf(node: Node): number {
  if (!isElement(node)) return 0;
  if (node.tagName === 'A') return collapsed(textOf(node)).length;
  return select(node, 'a').reduce((sum, link) => sum + collapsed(textOf(link)).length, 0);
}

function add(
  sum: Inside,
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
