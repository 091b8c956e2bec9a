import { collapseSpaces, isText, readText, select } from '../document/dom.ts';
import { setAttribute } from '../document/selector-index.ts';
import { nextNode } from '../document/traverse.ts';

/**
 * Dialogs, menus and scripts hide the page itself: `aria-hidden` and `inert` on its root while a
 * dialog is open, `display: none` until a script has run. Such elements are shown again, because
 * what is hidden then is the page; hidden icons, menus and copies stay hidden. Changes the document.
 */
export function revealPage(body: Element): void {
  for (const name of ['aria-hidden', 'inert', 'hidden']) {
    if (body.hasAttribute(name)) setAttribute(body, name, null);
  }
  // Roots may be hidden one inside the other.
  for (let rounds = 0; rounds < MAX_ROUNDS && revealHidden(body); rounds += 1);
  revealUnstyled(body);
}

const MAX_ROUNDS = 4;
const HIDDEN = '[aria-hidden="true"], [inert]';
const DIALOGS = 'dialog[open], [role="dialog"], [role="alertdialog"], [aria-modal="true"]';
/** Less text than this may be a menu on a page of pictures. */
const LARGE = 200;
/** A page with less text than this beside what is hidden shows nothing but a notice. */
const NEXT_TO_NOTHING = 50;

/** @returns whether something was revealed */
function revealHidden(body: Element): boolean {
  const hidden = outermost(inBody(body, HIDDEN)).map((element) => ({ element, size: textLength(element) }));
  const all = sizeOf(hidden);
  if (all === 0) return false;
  const dialogs = outermost(inBody(body, DIALOGS, (dialog) => dialog.closest(HIDDEN) === null));
  const beside = hidden.filter(({ element, size }) => size > 0 && isBeside(element, dialogs));
  if (beside.length === 0 && all < LARGE) return false;
  const total = textLength(body);
  const shown = total - all - dialogs.reduce((sum, dialog) => sum + textLength(dialog), 0);
  // With a dialog, everything around it is hidden; without one, only what is most of the page is
  // shown again.
  const revealed =
    beside.length > 0 && sizeOf(beside) > shown
      ? beside
      : hidden.filter(({ size }) => size >= LARGE && size * 2 > total);
  for (const { element } of revealed) {
    setAttribute(element, 'aria-hidden', null);
    setAttribute(element, 'inert', null);
  }
  return revealed.length > 0;
}

/** Asks the document, which has an index, and not its body, which would be walked. */
const inBody = (body: Element, selector: string, condition: (element: Element) => boolean = () => true) =>
  select(body.ownerDocument, selector).filter((element) => condition(element) && body.contains(element));

/** Elements that are in no other of them. Expects document order. */
function outermost(elements: readonly Element[]): Element[] {
  const found: Element[] = [];
  for (const element of elements) if (!found.at(-1)?.contains(element)) found.push(element);
  return found;
}

/** Whether the element is a sibling of a dialog, or of an element around one. */
const isBeside = (element: Element, dialogs: readonly Element[]): boolean =>
  dialogs.some((dialog) => !element.contains(dialog) && element.parentElement?.contains(dialog) === true);

const sizeOf = (parts: readonly { size: number }[]): number => parts.reduce((sum, { size }) => sum + size, 0);

/** The page is hidden by its style, and nothing else is there. */
function revealUnstyled(body: Element): void {
  const hidden = outermost(inBody(body, '[hidden], [style]', isUnstyled));
  if (hidden.length === 0) return;
  const sized = hidden.map((element) => ({ element, size: textLength(element) })).sort(bySize);
  const [largest] = sized;
  if (!largest || largest.size < LARGE || textLength(body) - sizeOf(sized) >= NEXT_TO_NOTHING) return;
  setAttribute(largest.element, 'hidden', null);
  setAttribute(largest.element, 'style', null);
}

const bySize = (a: { size: number }, b: { size: number }) => b.size - a.size;

const isUnstyled = (element: Element): boolean =>
  element.hasAttribute('hidden') ||
  /(^|;)\s*(display\s*:\s*none|visibility\s*:\s*hidden)/i.test(element.getAttribute('style') ?? '');

/** Characters of text outside scripts, styles and templates. */
function textLength(root: Element): number {
  let sum = 0;
  for (let node = root.firstChild; node; node = nextNode(node, root)) {
    if (isText(node) && !UNREAD.has(node.parentElement?.tagName ?? ''))
      sum += collapseSpaces(readText(node)).length;
  }
  return sum;
}

const UNREAD = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'NOSCRIPT', 'TITLE', 'TEXTAREA', 'OPTION']);
