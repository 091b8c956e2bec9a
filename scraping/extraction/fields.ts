import { LRUCache } from 'lru-cache';
import type { ExtractField } from '../../core/jobs/extract-schemas.ts';
import type { ScrapeRequest } from '../../core/jobs/job-schemas.ts';
import { parseExtractSelector } from '../../core/selectors/extract-selector.ts';
import { absoluteUrl, collapseSpaces, select } from './document/dom.ts';
import { parseDate } from './metadata/byline.ts';

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
  const extracted = readObject(document, wanted, { base, path: '', bad, budget });
  return { extracted, badFields: [...bad] };
}

/** Per page: nested lists on a hostile page multiply. */
const MAX_VALUES = 100_000;

interface Reading {
  base: string;
  path: string;
  bad: Set<string>;
  budget: { values: number };
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
    return rule.fields ? readObject(element, rule.fields, reading) : readValue(element, rule, reading.base);
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

function readValue(element: Element, rule: Rule, base: string): unknown {
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
      return numberIn(text);
    case 'integer': {
      const number = numberIn(text);
      return number === null ? null : Math.trunc(number);
    }
    case 'date':
      return parseDate(rule.attribute ? text : (element.getAttribute('datetime') ?? text)) ?? null;
    case 'url':
      return text === '' ? null : absoluteUrl(text, base);
    default:
      return rule.type satisfies never;
  }
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

/**
 * The first number in a text, in any country's notation. If both `.` and `,` occur, the last one is
 * the decimal mark; one alone groups thousands if it occurs more than once or, if a comma, stands
 * before three digits.
 */
export function numberIn(text: string): number | null {
  const found = /(?<![\d\p{L}])[-−]?\s?(?:\d[\d.,'’\u00a0\u202f ]*\d|\d)|\d(?:[\d.,]*\d)?/u
    .exec(text.slice(0, 1000))?.[0]
    .trim();
  if (!found) return null;
  const digits = found.replace(/^[-−]\s?/, '').replace(/(\d)[ \u00a0\u202f'’](?=\d{3}(\D|$))/g, '$1');
  const [first = ''] = digits.split(/[ \u00a0\u202f'’]/);
  const number = Number(plainDecimal(first));
  return Number.isFinite(number) ? (/^[-−]/.test(found) ? -number : number) : null;
}

function plainDecimal(digits: string): string {
  const [dot, comma] = [digits.lastIndexOf('.'), digits.lastIndexOf(',')];
  if (dot >= 0 && comma >= 0) {
    const thousands = dot > comma ? ',' : '.';
    return digits.replaceAll(thousands, '').replace(',', '.');
  }
  if (dot < 0 && comma < 0) return digits;
  const mark = dot >= 0 ? '.' : ',';
  const groups = digits.split(mark);
  if (groups.length > 2 || (mark === ',' && groups[1]?.length === 3)) return groups.join('');
  return groups.join('.');
}
