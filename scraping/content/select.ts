import { LRUCache } from 'lru-cache';

/**
 * The elements a selector finds, in document order, as a list of its own.
 *
 * domino walks the whole tree anew for each query and asks each element in turn what the selector compiles to, a quarter of all the
 * time that extraction takes. What most of our selectors begin with, a tag's name or an attribute, is read here from one list of
 * the document's elements, which holds until the document changes; domino is asked about those few that may fit.
 *
 * @throws SyntaxError domino's, for what is no selector
 */
export function select(scope: Document | Element, selector: string): Element[] {
  const signs = signsOf(selector);
  // Live collections for the simplest selectors, which cannot be iterated.
  if (!signs) return Array.from(scope.querySelectorAll(selector));
  return elementsOf(scope).filter((element) => fits(element, signs, selector));
}

/** The first of them. */
export function selectFirst(scope: Document | Element, selector: string): Element | null {
  const signs = signsOf(selector);
  // Not all that null could be: domino gives undefined.
  if (!signs) return scope.querySelector(selector) ?? null;
  return elementsOf(scope).find((element) => fits(element, signs, selector)) ?? null;
}

/** By what an element is known that may fit one of the selector's alternatives. */
interface Signs {
  tags: ReadonlySet<string>;
  attributes: readonly string[];
  /** Whether who has one of them does fit, without a second look. */
  suffice: boolean;
}

/** A tag's name, or attributes: `a`, `*`, `[href]`, `a[href]`, `meta[name="x"]`. Nothing of families, classes or states. */
const ALTERNATIVE = /^(\*|[a-z][a-z0-9]*)?((?:\[[a-z][a-z-]*(?:[~^*$]?="[^"\]\\,]*")?\])*)$/;
const EVERYTHING: Signs = { tags: new Set(), attributes: [], suffice: false };

/** Users bring selectors of their own. */
const known = new LRUCache<string, Signs | 'others'>({ max: 500 });

function signsOf(selector: string): Signs | null {
  let signs = known.get(selector);
  if (!signs) {
    signs = readSigns(selector) ?? 'others';
    known.set(selector, signs);
  }
  return signs === 'others' ? null : signs;
}

function readSigns(selector: string): Signs | null {
  if (selector === '*') return EVERYTHING;
  const tags = new Set<string>();
  const attributes = new Set<string>();
  let suffice = true;
  for (const alternative of selector.split(',')) {
    const [whole, tag, conditions = ''] = ALTERNATIVE.exec(alternative.trim()) ?? [];
    if (!whole) return null;
    const [attribute] = /[a-z-]+/.exec(conditions) ?? [];
    // Of these domino has a view of its own.
    if (attribute === 'for' || attribute === 'title') return null;
    const isNamed = tag !== undefined && tag !== '*';
    if (attribute) attributes.add(attribute);
    else if (isNamed) tags.add(tag);
    else return null;
    suffice &&= !attribute || (!isNamed && conditions === `[${attribute}]`);
  }
  return { tags, attributes: [...attributes], suffice };
}

function fits(element: Element, signs: Signs, selector: string): boolean {
  if (signs === EVERYTHING) return true;
  const hasSign =
    signs.tags.has(element.localName) || signs.attributes.some((name) => element.hasAttribute(name));
  return hasSign && (signs.suffice || element.matches(selector));
}

/** domino counts what is done to a document. */
type Counted = Document & { modclock: number };

const listed = new WeakMap<Document, { at: number; elements: Element[] }>();

function elementsOf(scope: Document | Element): readonly Element[] {
  if (scope.nodeType !== 9) return walk(scope);
  const document = scope as Counted;
  const before = listed.get(document);
  if (before?.at === document.modclock) return before.elements;
  const elements = walk(document);
  listed.set(document, { at: document.modclock, elements });
  return elements;
}

/** All elements inside. A loop, because a hostile page nests deeper than a stack is high. */
function walk(scope: Document | Element): Element[] {
  const elements: Element[] = [];
  let node: Node | null = scope.firstChild;
  while (node) {
    if (node.nodeType === 1) elements.push(node as Element);
    let next: Node | null = node.firstChild;
    for (let last: Node | null = node; !next && last && last !== scope; last = last.parentNode) {
      next = last.nextSibling;
    }
    node = next;
  }
  return elements;
}
