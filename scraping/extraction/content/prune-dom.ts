import { hasText, isElement, isText, select } from '../document/dom.ts';
import type { Block } from './blocks.ts';

/**
 * Removes what is not kept: its text, and with it whatever held only such text, pictures included. Pictures that stand among kept
 * text stay; those of menus and the page's frame go.
 */
export function pruneDom(body: Element, blocks: readonly Block[], kept: readonly boolean[]): void {
  const holders = new Set<Element>();
  for (const [at, { container }] of blocks.entries()) {
    if (!kept[at]) continue;
    for (let up: Element | null = container; up && !holders.has(up); up = up.parentElement) holders.add(up);
  }
  const all = select(body, '*');
  const figures = partsOfFigures(all);
  const staysEmpty = (element: Element) => figures.has(element) || isCellOfRow(element);
  for (const [at, { nodes, container }] of blocks.entries()) {
    if (kept[at]) continue;
    const isFigure = figures.has(container);
    for (const node of nodes) if (!isFigure || isText(node)) node.parentNode?.removeChild(node);
    let empty: Element | null = container;
    while (empty && empty !== body && !holders.has(empty) && !staysEmpty(empty)) {
      const parent: Element | null = empty.parentElement;
      empty.remove();
      empty = parent;
    }
  }
  for (const element of all) if (isFrameOfPage(element) && !holders.has(element)) element.remove();
  // With all that is in them at once: domino tells every removal to all elements around it.
  const gone = new Set<Element>();
  for (const element of all.reverse()) {
    if (holdsOnly(element, gone) && !VOID.has(element.tagName) && !staysEmpty(element)) gone.add(element);
  }
  for (const element of gone) {
    if (!element.parentElement || !gone.has(element.parentElement)) element.remove();
  }
}

function holdsOnly(element: Element, gone: ReadonlySet<Element>): boolean {
  for (let child = element.firstChild; child; child = child.nextSibling) {
    if (!isElement(child) || !gone.has(child)) return false;
  }
  return true;
}

const FRAME_TAGS = new Set(['NAV', 'ASIDE', 'FOOTER', 'HEADER', 'FORM']);
const FRAME_ROLES = new Set(['navigation', 'banner', 'contentinfo']);
const isFrameOfPage = (element: Element): boolean =>
  FRAME_TAGS.has(element.tagName) || FRAME_ROLES.has(element.getAttribute('role') ?? '');
const VOID = new Set(['IMG', 'BR', 'HR', 'PICTURE', 'SOURCE', 'VIDEO', 'AUDIO']);

/** Figures and all that is in them; of elements in document order. */
function partsOfFigures(elements: readonly Element[]): Set<Element> {
  const parts = new Set<Element>();
  for (const element of elements) {
    if (element.tagName === 'FIGURE' || (element.parentElement && parts.has(element.parentElement)))
      parts.add(element);
  }
  return parts;
}

/** A cell of a row that has others. */
function isCellOfRow({ tagName, parentElement }: Element): boolean {
  return (tagName === 'TD' || tagName === 'TH') && parentElement !== null && hasText(parentElement);
}
