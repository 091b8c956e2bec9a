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
  /** By name, what must stand in it somewhere: one of these; none: whatever stands in it. */
  attributes: ReadonlyMap<string, readonly string[]>;
  /** Whether who has one of them does fit, without a second look. */
  suffice: boolean;
}

/** A tag's name, or attributes: `a`, `*`, `[href]`, `a[href]`, `meta[name="x"]`. Nothing of families or states. */
const ALTERNATIVE = /^(\*|[a-z][a-z0-9]*)?((?:\[[a-z][a-z-]*(?:[~^*$]?="[^"\]\\,]*")?\])*)$/;
const CONDITION = /^\[([a-z-]+)(?:[~^*$]?="([^"]*)")?/;
const CLASS = /^\.([a-z][a-z-]*)$/i;
const EVERYTHING: Signs = { tags: new Set(), attributes: new Map(), suffice: false };

/**
 * Attributes of which domino compares what is written. Others it may read through a property that says it differently. It compiles
 * a selector anew for each element it is asked about: on a page with many classes two thirds of what looking for a byline took.
 */
const AS_WRITTEN: ReadonlySet<string> = new Set(['class', 'itemprop', 'name', 'property', 'rel']);

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
  const attributes = new Map<string, readonly string[]>();
  let suffice = true;
  const needs = (attribute: string, text: string) => {
    const before = attributes.get(attribute);
    const any = text === '' || !AS_WRITTEN.has(attribute) || before?.length === 0;
    attributes.set(attribute, any ? [] : [...(before ?? []), text]);
  };
  const alternatives = selector.split(',').map((alternative) => alternative.trim());
  for (const alternative of alternatives) {
    const [, className] = CLASS.exec(alternative) ?? [];
    // One class alone domino looks up in a way of its own.
    if (className && alternatives.length > 1) {
      needs('class', className);
      suffice = false;
      continue;
    }
    const [whole, tag, conditions = ''] = ALTERNATIVE.exec(alternative) ?? [];
    if (!whole) return null;
    const [, attribute, text = ''] = CONDITION.exec(conditions) ?? [];
    // Of these domino has a view of its own.
    if (attribute === 'for' || attribute === 'title') return null;
    const isNamed = tag !== undefined && tag !== '*';
    if (attribute) needs(attribute, text);
    else if (isNamed) tags.add(tag);
    else return null;
    suffice &&= !attribute || (!isNamed && conditions === `[${attribute}]`);
  }
  return { tags, attributes, suffice };
}

function fits(element: Element, signs: Signs, selector: string): boolean {
  if (signs === EVERYTHING) return true;
  return hasSign(element, signs) && (signs.suffice || element.matches(selector));
}

function hasSign(element: Element, { tags, attributes }: Signs): boolean {
  if (tags.has(element.localName)) return true;
  for (const [name, texts] of attributes) {
    if (texts.length === 0 ? element.hasAttribute(name) : holdsOneOf(element.getAttribute(name), texts))
      return true;
  }
  return false;
}

function holdsOneOf(value: string | null, texts: readonly string[]): boolean {
  return value !== null && texts.some((text) => value.includes(text));
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
