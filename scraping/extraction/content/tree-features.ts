import type { Block, SubtreeTotals } from './blocks.ts';

// Features of a block's place in the tree: its ancestors, the group of similar elements that it is
// in, and how far it is from the page's prose.

/** Cap for distances; also "none". */
export const FAR = 40;

/** The four nearest ancestors that add blocks, innermost first. */
export function pushAncestors(
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
export const NO_GROUP = [0, 0, 0, 0, 0, 0, FAR];

/**
 * Per block container: features of the nearest ancestor that has at least two similar siblings,
 * such as a card in a grid or a post in a thread.
 */
export function findGroups(
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

/**
 * For each share: the chain from the root down to the smallest element that holds that share of the
 * page's prose.
 */
export function proseChains(blocks: readonly Block[], totals: ReadonlyMap<Element, SubtreeTotals>): Chain[] {
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
export function distanceTo(block: Block, chain: Chain): number {
  for (let element: Element | null = block.container; element; element = element.parentElement) {
    const depth = chain.get(element);
    if (depth !== undefined) return chain.size - depth - 1;
  }
  return FAR;
}
