import { cleanLine } from '../document/blanks.ts';
import { isBlock, isElement, isText, readText } from '../document/dom.ts';
import { nextNode } from '../document/traverse.ts';
import { separatorAround } from './separators.ts';

/** The text of a heading or link on one line, with a blank where a browser shows two boxes. */
export function toLine(element: Element): string {
  if (!element.firstElementChild) return cleanLine(readText(element));
  let text = '';
  let last: Node = element;
  for (let node: Node | null = element.firstChild; node; node = nextNode(node, element)) {
    if (leavesBox(last, node, element) || (isElement(node) && isApart(node))) text += ' ';
    if (isText(node) && !UNREAD.has(node.parentElement?.tagName ?? '')) text += node.data;
    last = node;
  }
  return cleanLine(text);
}

const isApart = (element: Element): boolean =>
  element.tagName === 'BR' ||
  element.tagName === 'IMG' ||
  isBlock(element) ||
  separatorAround(element) !== null;

/** Whether the way from one node to the next in document order ends a box. */
function leavesBox(from: Node, to: Node, root: Element): boolean {
  if (to.parentNode === from) return false;
  for (let up: Node | null = from; up && up !== to.parentNode && up !== root; up = up.parentNode) {
    if (isElement(up) && isApart(up)) return true;
  }
  return false;
}

const UNREAD = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE']);
