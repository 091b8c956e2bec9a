import { withoutLogin } from '../../../core/url-login.ts';
import { collapseSpaces, readText, select } from '../document/dom.ts';
import { parseJsonExactly } from '../values/exact-json.ts';

/** Structured data as the page has it: JSON-LD and microdata. */

const MAX_JSON_LD = 512 * 1024;

/** The parsed JSON-LD scripts. Invalid ones are skipped: many pages have some. */
export function readJsonLd(document: Document): unknown[] | undefined {
  const found: unknown[] = [];
  let size = 0;
  for (const script of select(document, 'script[type="application/ld+json"]')) {
    const text = readText(script);
    size += text.length;
    if (size > MAX_JSON_LD) break;
    try {
      const thing = parseJsonExactly(
        text.replace(/^\s*(<!--|\/\/\s*<!\[CDATA\[)|(-->|\/\/\s*\]\]>)\s*$/g, ''),
      );
      found.push(text.includes('@') ? withoutLogins(thing) : thing);
    } catch {
      // Invalid JSON; the other scripts still count.
    }
  }
  return found.length > 0 ? found : undefined;
}

/** Its URLs lose user names and passwords. */
function withoutLogins(value: unknown): unknown {
  if (typeof value === 'string') return value.length <= MAX_URL ? withoutLogin(value) : value;
  if (Array.isArray(value)) return value.map(withoutLogins);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, withoutLogins(held)]));
}

const MAX_URL = 8192;

export type Thing = Record<string, unknown>;

const MAX_THINGS = 2000;

/** Every object in JSON-LD at any depth, outer ones first. */
export function flattenThings(jsonLd: readonly unknown[] | undefined): Thing[] {
  const things: Thing[] = [];
  let waiting: unknown[] = [...(jsonLd ?? [])];
  while (waiting.length > 0 && things.length < MAX_THINGS) {
    const next: unknown[] = [];
    for (const value of waiting) {
      if (Array.isArray(value)) next.push(...value.slice(0, MAX_THINGS));
      else if (typeof value === 'object' && value !== null) {
        things.push(value as Thing);
        next.push(...Object.values(value).filter((inner) => typeof inner === 'object'));
      }
      if (next.length > MAX_THINGS) break;
    }
    waiting = next;
  }
  return things;
}

export const isOfType = (thing: Thing, pattern: RegExp): boolean =>
  [thing['@type']].flat().some((type) => typeof type === 'string' && pattern.test(type));

export interface Item {
  type: string;
  properties: Record<string, (string | Item)[]>;
}

const MAX_ITEMS = 200;
const MAX_VALUES = 2000;
const MAX_TEXT = 2000;
const MAX_DEPTH = 8;

/**
 * Microdata: the page's top-level items; each property is a list, as in the HTML standard's JSON
 * form.
 */
export function readMicrodata(document: Document): Item[] | undefined {
  let values = 0;
  const readItem = (scope: Element, depth: number): Item => {
    const item: Item = {
      type: collapseSpaces(scope.getAttribute('itemtype')).slice(0, MAX_TEXT),
      properties: {},
    };
    const visit = (parent: Element) => {
      for (let child = parent.firstElementChild; child; child = child.nextElementSibling) {
        const names = collapseSpaces(child.getAttribute('itemprop'));
        const isItem = child.hasAttribute('itemscope');
        if (names !== '' && values < MAX_VALUES) {
          values += 1;
          const value = isItem && depth < MAX_DEPTH ? readItem(child, depth + 1) : readProperty(child);
          for (const name of names.split(' ').slice(0, 5)) {
            if (!Object.hasOwn(item.properties, name)) {
              Object.defineProperty(item.properties, name, { value: [], enumerable: true });
            }
            item.properties[name]?.push(value);
          }
        }
        if (!isItem) visit(child);
      }
    };
    visit(scope);
    return item;
  };
  const items = select(document, '[itemscope]')
    .filter((scope) => !scope.hasAttribute('itemprop'))
    .slice(0, MAX_ITEMS)
    .map((scope) => readItem(scope, 0));
  return items.length > 0 ? items : undefined;
}

function readProperty(element: Element): string {
  const given =
    element.getAttribute('content') ??
    element.getAttribute('datetime') ??
    element.getAttribute('href') ??
    element.getAttribute('src') ??
    readText(element);
  return collapseSpaces(given).slice(0, MAX_TEXT);
}
