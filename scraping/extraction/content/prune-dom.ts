import { hasText, isElement, isText, select } from '../document/dom.ts';
import type { Block } from './blocks.ts';

/**
 * Removes the blocks that are not selected, and every element that held only such blocks, images
 * included. Images among selected text stay; images in menus and page chrome go. Changes the
 * document.
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
  for (const element of all) if (isPageChrome(element) && !holders.has(element)) element.remove();
  // Whole subtrees at once: each removal in domino notifies all ancestors.
  const emptied = new Set<Element>();
  for (const element of all.reverse()) {
    if (containsOnly(element, emptied) && !VOID.has(element.tagName) && !staysEmpty(element))
      emptied.add(element);
  }
  for (const element of emptied) {
    if (!element.parentElement || !emptied.has(element.parentElement)) element.remove();
  }
}

function containsOnly(element: Element, emptied: ReadonlySet<Element>): boolean {
  for (let child = element.firstChild; child; child = child.nextSibling) {
    if (!isElement(child) || !emptied.has(child)) return false;
  }
  return true;
}

const CHROME_TAGS = new Set(['NAV', 'ASIDE', 'FOOTER', 'HEADER', 'FORM']);
const CHROME_ROLES = new Set(['navigation', 'banner', 'contentinfo']);
const isPageChrome = (element: Element): boolean =>
  CHROME_TAGS.has(element.tagName) || CHROME_ROLES.has(element.getAttribute('role') ?? '');
const VOID = new Set(['IMG', 'BR', 'HR', 'PICTURE', 'SOURCE', 'VIDEO', 'AUDIO']);

/** Figures and their descendants. Expects elements in document order. */
function partsOfFigures(elements: readonly Element[]): Set<Element> {
  const parts = new Set<Element>();
  for (const element of elements) {
    if (element.tagName === 'FIGURE' || (element.parentElement && parts.has(element.parentElement)))
      parts.add(element);
  }
  return parts;
}

/** An empty cell in a row that still has text: it keeps the columns aligned. */
function isCellOfRow({ tagName, parentElement }: Element): boolean {
  return (tagName === 'TD' || tagName === 'TH') && parentElement !== null && hasText(parentElement);
}
