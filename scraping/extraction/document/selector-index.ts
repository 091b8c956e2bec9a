import { LRUCache } from 'lru-cache';
import { isElement, nextNode } from './traverse.ts';

/**
 * The elements a selector finds, in document order, as a list of its own.
 *
 * domino walks the whole tree anew for each query and asks each element in turn what the selector compiles to, a quarter of all the
 * time that extraction took. What most of our selectors begin with, a tag's name or an attribute, is looked up here in an index of
 * the document's elements, which holds until the document changes; domino is asked about those few that may fit. Attributes are
 * given and taken by `setAttribute` below, because domino does not count that as a change.
 *
 * @throws SyntaxError domino's, for what is no selector
 */
export function select(scope: Document | Element, selector: string): Element[] {
  const keys = indexKeysFor(selector);
  // Live collections for the simplest selectors, which cannot be iterated.
  if (!keys) return Array.from(scope.querySelectorAll(selector));
  return candidates(scope, keys).filter((element) => matches(element, keys, selector));
}

/** The first of them. */
export function selectFirst(scope: Document | Element, selector: string): Element | null {
  const keys = indexKeysFor(selector);
  // Not all that null could be: domino gives undefined.
  if (!keys) return scope.querySelector(selector) ?? null;
  if (isDocument(scope))
    return candidates(scope, keys).find((element) => matches(element, keys, selector)) ?? null;
  for (let node = scope.firstChild; node; node = nextNode(node, scope)) {
    if (isElement(node) && matches(node, keys, selector)) return node;
  }
  return null;
}

/** By what an element is known that may fit one of the selector's alternatives. */
interface IndexKeys {
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
const EVERYTHING: IndexKeys = { tags: new Set(), attributes: new Map(), suffice: false };

/**
 * Attributes of which domino compares what is written. Others it may read through a property that says it differently. It compiles
 * a selector anew for each element it is asked about: on a page with many classes two thirds of what looking for a byline took.
 */
const AS_WRITTEN: ReadonlySet<string> = new Set(['class', 'itemprop', 'name', 'property', 'rel']);

/** Users bring selectors of their own. */
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
    // One class alone domino looks up in a way of its own.
    if (className && alternatives.length > 1) {
      addAttribute('class', className);
      suffice = false;
      continue;
    }
    const [whole, tag, conditions = ''] = ALTERNATIVE.exec(alternative) ?? [];
    if (!whole) return null;
    const [, attribute, text = ''] = CONDITION.exec(conditions) ?? [];
    // Of these domino has a view of its own.
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

/** Those that have one of the signs, and maybe others, in document order. */
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

/** Gives an attribute, or takes it away where the value is null. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (element.hasAttribute(name) !== (value !== null)) indexes.delete(element.ownerDocument);
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

interface Index {
  /** When the document was so. */
  version: number;
  /** All of them, as all lists, in document order. */
  elements: Element[];
  byTag: Map<string, Element[]>;
  byAttribute: Map<string, Element[]>;
}

/** domino counts what is done to a document. */
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
