import { hasText, isElement } from '../document/dom.ts';

/** The Markdown marker of a list item, with the space after it. */
export function listMarker(item: Element): string {
  const list = item.parentElement;
  const isOther = list !== null && /^[UO]L$/.test(list.tagName) && alternatesMarker(list);
  const bullet = isOther ? '* ' : '- ';
  if (list?.tagName !== 'OL') return bullet;
  const { numbers, isWritable } = numbering(list);
  const number = numbers.get(item) ?? 1;
  // Markdown has no negative numbers, so they are text.
  return isWritable ? `${number}${isOther ? ')' : '.'} ` : `${bullet}${number}\\. `;
}

/** Columns by which the rest of an item is indented. */
export const itemIndent = (marker: string): number => (/^[-*] -?\d/.test(marker) ? 2 : marker.length);

interface Numbering {
  numbers: ReadonlyMap<Element, number>;
  isWritable: boolean;
}

/** Counted once per list, as browsers do: `start`, `reversed`, and `value` of an item. */
function numbering(list: Element): Numbering {
  let known = numberings.get(list);
  if (!known) {
    known = count(list);
    numberings.set(list, known);
  }
  return known;
}

const numberings = new WeakMap<Element, Numbering>();

function count(list: Element): Numbering {
  const items: Element[] = [];
  for (let child = list.firstElementChild; child; child = child.nextElementSibling) {
    if (child.tagName === 'LI') items.push(child);
  }
  const isReversed = list.hasAttribute('reversed');
  const step = isReversed ? -1 : 1;
  let next = integer(list.getAttribute('start')) ?? (isReversed ? items.length : 1);
  let isWritable = true;
  const numbers = new Map<Element, number>();
  for (const item of items) {
    const number = integer(item.getAttribute('value')) ?? next;
    numbers.set(item, number);
    if (number < 0) isWritable = false;
    next = number + step;
  }
  return { numbers, isWritable };
}

/** Markdown allows nine digits. */
function integer(text: string | null): number | null {
  const [digits] = /^\s*[-+]?\d{1,9}(?!\d)/.exec(text ?? '') ?? [];
  return digits === undefined ? null : Number(digits);
}

/** Adjacent lists with the same marker would merge, so they alternate. */
function alternatesMarker(list: Element): boolean {
  let isOther = false;
  let last = list;
  for (let steps = 0; steps < 100; steps += 1) {
    const before = last.previousSibling;
    const previous = before && !isElement(before) && !hasText(before) ? before.previousSibling : before;
    if (!previous || !isElement(previous) || previous.tagName !== list.tagName) return isOther;
    isOther = !isOther;
    last = previous;
  }
  return isOther;
}
