import { LRUCache } from 'lru-cache';
import type { ExtractField } from '../../core/jobs/extract-schemas.ts';
import type { ScrapeRequest } from '../../core/jobs/job-schemas.ts';
import { parseExtractSelector } from '../../core/selectors/extract-selector.ts';
import { absoluteUrl, collapseSpaces, select } from './document/dom.ts';
import { isText, nextNode } from './document/traverse.ts';
import { parseIsoDate } from './metadata/byline.ts';
import { once } from './once.ts';
import { dateIn, orderIn } from './values/date.ts';
import { elementLanguage, type Notation, pageLanguage } from './values/locale.ts';
import { numberIn } from './values/number.ts';

export type FieldsWanted = NonNullable<ScrapeRequest['extract']>;

export interface Fields {
  extracted: Record<string, unknown>;
  /** Paths of fields whose selector is not CSS, such as `products.price`. */
  badFields: string[];
}

/**
 * The job's `extract` fields, from raw or rendered HTML. A missing field is null, a list without
 * matches is empty, and text that is no number, date or URL is null if one is requested.
 */
export function extractFields(document: Document, base: string, wanted: FieldsWanted): Fields {
  const bad = new Set<string>();
  const budget = { values: MAX_VALUES };
  const extracted = readObject(document, wanted, {
    ...{ base, path: '', bad, budget },
    language: once(() => pageLanguage(document, base)),
    order: once(() => orderIn(textsOf(document))),
  });
  return { extracted, badFields: [...bad] };
}

/** Per page: nested lists on a hostile page multiply. */
const MAX_VALUES = 100_000;

interface Reading {
  base: string;
  path: string;
  bad: Set<string>;
  budget: { values: number };
  /** Of the page. */
  language: () => string | null;
  order: () => Notation['order'];
}

/** The page's texts, apart from each other. */
function textsOf(document: Document): string {
  const texts: string[] = [];
  for (let node = document.body?.firstChild ?? null; node; node = nextNode(node, document.body)) {
    if (isText(node) && /\d/.test(node.data)) texts.push(node.data);
  }
  return texts.join(' ');
}

function readObject(
  scope: Document | Element,
  wanted: FieldsWanted,
  reading: Reading,
): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(wanted)) {
    const path = reading.path === '' ? name : `${reading.path}.${name}`;
    const value = readField(scope, field, { ...reading, path });
    // defineProperty, because a field may be called `__proto__`.
    Object.defineProperty(object, name, { value, enumerable: true });
  }
  return object;
}

type Rule = Exclude<ExtractField, string>;

function readField(scope: Document | Element, field: ExtractField, reading: Reading): unknown {
  const rule: Rule = typeof field === 'string' ? { selector: field } : field;
  const found = findElements(scope, rule, reading);
  if (found === null) return null;
  const values = found.map((element) => {
    reading.budget.values -= 1;
    return rule.fields ? readObject(element, rule.fields, reading) : readValue(element, rule, reading);
  });
  if (rule.many) return values.filter((value) => value !== null);
  return values[0] ?? (rule.type === 'boolean' && !reading.bad.has(reading.path) ? false : null);
}

/** Null if the selector is invalid. */
function findElements(scope: Document | Element, rule: Rule, reading: Reading): Element[] | null {
  if (reading.budget.values <= 0) return [];
  if (rule.selector === ':scope') return 'documentElement' in scope ? [scope.documentElement] : [scope];
  try {
    const selector = runnable(rule.selector);
    if (selector !== null) {
      const found = select(scope, selector);
      return rule.many ? found.slice(0, reading.budget.values) : found.slice(0, 1);
    }
  } catch {
    // Not one that domino can run.
  }
  reading.bad.add(reading.path);
  return null;
}

/** Nested fields ask for the same selector per element. Null if it is none. */
function runnable(selector: string): string | null {
  let known = runnables.get(selector);
  if (known === undefined) {
    const parsed = parseExtractSelector(selector);
    known = { text: parsed.kind === 'selector' ? parsed.text : null };
    runnables.set(selector, known);
  }
  return known.text;
}

const runnables = new LRUCache<string, { text: string | null }>({ max: 500 });

function readValue(element: Element, rule: Rule, reading: Reading): unknown {
  const { base } = reading;
  if (rule.type === 'html') return element.innerHTML.trim();
  if (rule.type === 'boolean') return readBoolean(element, rule.attribute);
  const attribute = rule.attribute ?? (rule.type === 'url' ? addressAttribute(element) : undefined);
  const text = attribute === undefined ? elementText(element) : readAttribute(element, attribute, base);
  if (text === null) return null;
  switch (rule.type) {
    case undefined:
    case 'text':
      return text;
    case 'number':
      return readNumber(text, element, rule, reading);
    case 'integer': {
      const number = readNumber(text, element, rule, reading);
      return typeof number === 'number' ? Math.trunc(number) : (number?.replace(/[.e].*$/i, '') ?? null);
    }
    case 'date': {
      const written = rule.attribute ? text : (element.getAttribute('datetime') ?? text);
      const language = elementLanguage(element, reading.language());
      return parseIsoDate(written) ?? dateIn(written, { language, order: reading.order() });
    }
    case 'url':
      return text === '' ? null : absoluteUrl(text, base);
    default:
      return rule.type satisfies never;
  }
}

/** Attributes that programs read have a point before decimals, and no groups. */
const MACHINE = /^(content|value|min|max|datetime|data-.*)$/i;

function readNumber(text: string, element: Element, rule: Rule, reading: Reading): number | string | null {
  const isMachines =
    rule.attribute !== undefined && MACHINE.test(rule.attribute) && /^\s*-?\d+\.\d+\s*$/.test(text);
  return numberIn(text, isMachines ? 'en' : elementLanguage(element, reading.language()));
}

function elementText(element: Element): string {
  const text = element.textContent ?? '';
  return isPreformatted(element) ? text.trim() : collapseSpaces(text);
}

function isPreformatted(element: Element): boolean {
  for (let at: Element | null = element; at; at = at.parentElement) {
    if (at.tagName === 'PRE' || at.tagName === 'TEXTAREA') return true;
  }
  return false;
}

const addressAttribute = (element: Element): string | undefined =>
  ['href', 'src', 'content', 'action'].find((name) => element.hasAttribute(name));

function readAttribute(element: Element, attribute: string, base: string): string | null {
  const value = element.getAttribute(attribute);
  if (value === null || !['href', 'src', 'action', 'poster'].includes(attribute.toLowerCase())) return value;
  return absoluteUrl(value, base) ?? value;
}

/**
 * A present element is true unless its text says no; so is a present attribute, such as `disabled`.
 */
function readBoolean(element: Element, attribute: string | undefined): boolean {
  const text = attribute === undefined ? elementText(element) : element.getAttribute(attribute);
  return text !== null && !/^(false|no|off|0|none|nein|non)$/i.test(text.trim());
}
