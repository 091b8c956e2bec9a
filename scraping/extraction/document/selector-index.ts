import { LRUCache } from 'lru-cache';
import { isElement, nextNode } from './traverse.ts';

/**
 * The elements that match a selector, in document order, as a new array.
 *
 * domino walks the whole tree per query and tests every element: a quarter of all extraction time.
 * Most of our selectors begin with a tag name or an attribute; these are looked up in an index of
 * the document, valid until the document changes, and domino tests only the candidates. Set and
 * remove attributes by `setAttribute` below: domino does not count that as a change.
 *
 * @throws SyntaxError from domino, for an invalid selector
 */
export function select(scope: Document | Element, selector: string): Element[] {
  const keys = indexKeysFor(selector);
  // For the simplest selectors domino returns live collections, which cannot be iterated.
  if (!keys) return Array.from(scope.querySelectorAll(selector));
  return candidates(scope, keys).filter((element) => matches(element, keys, selector));
}

/** The first match in document order; null if there is none. */
export function selectFirst(scope: Document | Element, selector: string): Element | null {
  const keys = indexKeysFor(selector);
  // domino returns undefined instead of null.
  if (!keys) return scope.querySelector(selector) ?? null;
  if (isDocument(scope))
    return candidates(scope, keys).find((element) => matches(element, keys, selector)) ?? null;
  for (let node = scope.firstChild; node; node = nextNode(node, scope)) {
    if (isElement(node) && matches(node, keys, selector)) return node;
  }
  return null;
}

/** Index keys of a selector: an element that matches has at least one of them. */
interface IndexKeys {
  tags: ReadonlySet<string>;
  /** Attribute name to texts, one of which its value contains; an empty list admits any value. */
  attributes: ReadonlyMap<string, readonly string[]>;
  /** Whether having one of the keys is enough, without asking domino. */
  suffice: boolean;
}

/**
 * A tag name or attributes: `a`, `*`, `[href]`, `a[href]`, `meta[name="x"]`. No combinators, no
 * pseudo-classes.
 */
const ALTERNATIVE = /^(\*|[a-z][a-z0-9]*)?((?:\[[a-z][a-z-]*(?:[~^*$]?="[^"\]\\,]*")?\])*)$/;
const CONDITION = /^\[([a-z-]+)(?:[~^*$]?="([^"]*)")?/;
const CLASS = /^\.([a-z][\w-]*)$/i;
const EVERYTHING: IndexKeys = { tags: new Set(), attributes: new Map(), suffice: false };

/**
 * Attributes that domino compares as written; others it may read through a property with another
 * value. Worth indexing by value because `matches` compiles the selector per element: two thirds of
 * the time of the byline search on a page with many classes.
 */
const AS_WRITTEN: ReadonlySet<string> = new Set(['class', 'itemprop', 'name', 'property', 'rel']);

/** Bounded: users send selectors of their own. */
const keysBySelector = new LRUCache<string, IndexKeys | 'others'>({ max: 500 });

function indexKeysFor(selector: string): IndexKeys | null {
  let keys = keysBySelector.get(selector);
  if (!keys) {
    keys = parseIndexKeys(selector) ?? 'others';
    keysBySelector.set(selector, keys);
  }
  return keys === 'others' ? null : keys;
}

function parseIndexKeys(selector: string): IndexKeys | null {
  if (selector === '*') return EVERYTHING;
  const tags = new Set<string>();
  const attributes = new Map<string, readonly string[]>();
  let suffice = true;
  const addAttribute = (attribute: string, text: string) => {
    const before = attributes.get(attribute);
    const any = text === '' || !AS_WRITTEN.has(attribute) || before?.length === 0;
    attributes.set(attribute, any ? [] : [...(before ?? []), text]);
  };
  const alternatives = selector.split(',').map((alternative) => alternative.trim());
  for (const alternative of alternatives) {
    const [, className] = CLASS.exec(alternative) ?? [];
    // domino has its own lookup for a single class.
    if (className && alternatives.length > 1) {
      addAttribute('class', className);
      suffice = false;
      continue;
    }
    const [whole, tag, conditions = ''] = ALTERNATIVE.exec(alternative) ?? [];
    if (!whole) return null;
    const [, attribute, text = ''] = CONDITION.exec(conditions) ?? [];
    // domino reads these two differently.
    if (attribute === 'for' || attribute === 'title') return null;
    const isNamed = tag !== undefined && tag !== '*';
    if (attribute) addAttribute(attribute, text);
    else if (isNamed) tags.add(tag);
    else return null;
    suffice &&= !attribute || (!isNamed && conditions === `[${attribute}]`);
  }
  return { tags, attributes, suffice };
}

function matches(element: Element, keys: IndexKeys, selector: string): boolean {
  if (keys === EVERYTHING) return true;
  return hasKey(element, keys) && (keys.suffice || element.matches(selector));
}

function hasKey(element: Element, { tags, attributes }: IndexKeys): boolean {
  if (tags.has(element.localName)) return true;
  for (const [name, texts] of attributes) {
    if (texts.length === 0 ? element.hasAttribute(name) : containsAny(element.getAttribute(name), texts))
      return true;
  }
  return false;
}

function containsAny(value: string | null, texts: readonly string[]): boolean {
  return value !== null && texts.some((text) => value.includes(text));
}

/** A superset of the elements with one of the keys, in document order. */
function candidates(scope: Document | Element, keys: IndexKeys): readonly Element[] {
  if (!isDocument(scope)) return elementsIn(scope);
  const { elements, byTag, byAttribute } = documentIndex(scope);
  if (keys === EVERYTHING) return elements;
  const lists = [
    ...Array.from(keys.tags, (tag) => byTag.get(tag)),
    ...Array.from(keys.attributes.keys(), (name) => byAttribute.get(name)),
  ].filter((list) => list !== undefined);
  if (lists.length < 2) return lists[0] ?? [];
  const found = new Set(lists.flat());
  return elements.filter((element) => found.has(element));
}

/** Sets an attribute, or removes it if the value is null; invalidates the index. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (element.hasAttribute(name) !== (value !== null)) indexes.delete(element.ownerDocument);
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

interface Index {
  /** `modclock` of the document when the index was built. */
  version: number;
  /** All elements. Every list is in document order. */
  elements: Element[];
  byTag: Map<string, Element[]>;
  byAttribute: Map<string, Element[]>;
}

/** domino's document with its change counter. */
type VersionedDocument = Document & { modclock: number };

const isDocument = (scope: Document | Element): scope is VersionedDocument => scope.nodeType === 9;

const indexes = new WeakMap<Document, Index>();

function documentIndex(document: VersionedDocument): Index {
  const before = indexes.get(document);
  if (before?.version === document.modclock) return before;
  const elements = elementsIn(document);
  const index: Index = { version: document.modclock, elements, byTag: new Map(), byAttribute: new Map() };
  for (const element of elements) {
    addTo(index.byTag, element.localName, element);
    if (!element.hasAttributes()) continue;
    for (const name of element.getAttributeNames()) addTo(index.byAttribute, name, element);
  }
  indexes.set(document, index);
  return index;
}

function addTo(lists: Map<string, Element[]>, name: string, element: Element): void {
  const list = lists.get(name);
  if (list) list.push(element);
  else lists.set(name, [element]);
}

function elementsIn(scope: Document | Element): Element[] {
  const elements: Element[] = [];
  for (let node = scope.firstChild; node; node = nextNode(node, scope)) {
    if (isElement(node)) elements.push(node);
  }
  return elements;
}
