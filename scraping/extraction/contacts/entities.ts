import { collapseSpaces, select } from '../document/dom.ts';
import type { PageElements } from './page-elements.ts';

/** An entity of structured data, in schema.org terms, whatever the notation. */
export interface Entity {
  /** Without their namespace: `LocalBusiness`. */
  types: string[];
  properties: ReadonlyMap<string, readonly Value[]>;
  method: 'json_ld' | 'microdata' | 'rdfa' | 'hcard';
  /**
   * The property of the outer entity that has this one as value, such as `publisher`. Null at the
   * top.
   */
  role: string | null;
}
export type Value = string | Entity;

/** All entities of a page, outer ones before nested ones. */
export function readEntities(page: PageElements): Entity[] {
  const roots = [...jsonLdEntities(page), ...markedUpEntities(page), ...hCards(page)];
  const all: Entity[] = [];
  const visit = (entity: Entity, depth: number) => {
    if (all.length >= MAX_ENTITIES || depth > MAX_DEPTH) return;
    all.push(entity);
    for (const values of entity.properties.values())
      for (const value of values) if (typeof value !== 'string') visit(value, depth + 1);
  };
  for (const root of roots) visit(root, 0);
  return all;
}

export const propertyText = (entity: Entity, ...names: string[]): string | null =>
  propertyTexts(entity, ...names)[0] ?? null;

/** The values of these properties as texts; a nested entity gives its name. */
export const propertyTexts = (entity: Entity, ...names: string[]): string[] =>
  names.flatMap((name) =>
    (entity.properties.get(name) ?? []).flatMap((value) => {
      const text =
        typeof value === 'string' ? value : propertyText(value, 'name', '@value', 'value', 'url', '@id');
      return text ? [text] : [];
    }),
  );

export const entitiesIn = (entity: Entity, name: string): Entity[] =>
  (entity.properties.get(name) ?? []).filter((value) => typeof value !== 'string');

const MAX_ENTITIES = 2000;
const MAX_DEPTH = 12;
const MAX_TEXT = 2000;
const MAX_JSON = 512 * 1024;

const localName = (type: string): string => type.split(/[/#:]/).at(-1) ?? type;

function jsonLdEntities({ scripts }: PageElements): Entity[] {
  let size = 0;
  return scripts.flatMap((script) => {
    if (!/^\s*application\/ld\+json/i.test(script.getAttribute('type') ?? '')) return [];
    const text = script.textContent ?? '';
    size += text.length;
    const data = size > MAX_JSON ? null : lenientJson(text);
    return parseJsonLd(data, null, 0);
  });
}

/**
 * Parses JSON with common faults: comments around it, line breaks in strings, trailing commas. Null
 * if it stays invalid.
 */
function lenientJson(text: string): unknown {
  const bare = text.replace(
    /^\s*(?:<!--|\/\/\s*<!\[CDATA\[|\/\*\s*<!\[CDATA\[\s*\*\/)|(?:-->|\/\/\s*\]\]>|\/\*\s*\]\]>\s*\*\/)\s*$/g,
    '',
  );
  for (const attempt of [
    bare,
    bare
      .replace(/\p{Cc}+/gu, ' ')
      .replace(/,\s{0,100}(?=[}\]])/g, '')
      .replace(/;\s*$/, ''),
  ]) {
    try {
      return JSON.parse(attempt);
    } catch {
      // Try the next variant.
    }
  }
  return null;
}

function parseJsonLd(data: unknown, role: string | null, depth: number): Entity[] {
  if (depth > MAX_DEPTH || data === null || typeof data !== 'object') return [];
  if (Array.isArray(data))
    return data.slice(0, MAX_ENTITIES).flatMap((item) => parseJsonLd(item, role, depth + 1));
  const properties = new Map<string, Value[]>();
  const types: string[] = [];
  for (const [key, value] of Object.entries(data)) {
    const list = Array.isArray(value) ? value.slice(0, 500) : [value];
    if (key === '@type') types.push(...list.filter((item) => typeof item === 'string').map(localName));
    else
      properties.set(
        localName(key),
        list.flatMap((item): Value[] =>
          typeof item === 'object' ? parseJsonLd(item, localName(key), depth + 1) : plainText(item),
        ),
      );
  }
  const entity: Entity = { types, properties, method: 'json_ld', role };
  const isBundle = types.length === 0 && properties.has('graph');
  return isBundle ? entitiesIn(entity, 'graph') : [entity];
}

function plainText(value: unknown): string[] {
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'string') return [];
  const text = collapseSpaces(withoutMarkup(value.slice(0, MAX_TEXT * 2))).slice(0, MAX_TEXT);
  return text ? [text] : [];
}

/** Strips markup: JSON strings are often HTML, escaped once too often. */
export const withoutMarkup = (text: string): string =>
  text
    .replace(/<br\s*\/?>/gi, ', ')
    .replace(/<[^<>]{0,200}>/g, ' ')
    .replace(/&nbsp;|&#160;/g, ' ')
    .replace(/&#0?39;|&#8217;|&rsquo;|&apos;/g, '’')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&');

/** Microdata (`itemscope`, `itemprop`) and RDFa Lite (`typeof`, `property`). */
function markedUpEntities(page: PageElements): Entity[] {
  const entities = new Map<Element, Entity & { properties: Map<string, Value[]> }>();
  const roots: Entity[] = [];
  const scopes = page.scopes.slice(0, MAX_ENTITIES);
  if (scopes.length === 0) return [];
  for (const scope of scopes) {
    const isMicrodata = scope.hasAttribute('itemscope');
    const types = (scope.getAttribute(isMicrodata ? 'itemtype' : 'typeof') ?? '')
      .split(/\s+/)
      .filter(Boolean)
      .map(localName);
    const names = propertyNames(scope);
    const entity = {
      types,
      properties: new Map<string, Value[]>(),
      method: isMicrodata ? ('microdata' as const) : ('rdfa' as const),
      role: names[0] ?? null,
    };
    entities.set(scope, entity);
    const outer =
      names.length > 0 ? entities.get(closestScope(scope.parentElement, entities) as Element) : undefined;
    if (outer) for (const name of names) push(outer.properties, name, entity);
    else roots.push(entity);
  }
  for (const element of page.properties.slice(0, 20 * MAX_ENTITIES)) {
    if (entities.has(element)) continue;
    const scope = closestScope(element, entities);
    const owner = scope && entities.get(scope);
    if (!owner) continue;
    const value = markedUpValue(element);
    if (value) for (const name of propertyNames(element)) push(owner.properties, name, value);
  }
  return roots;
}

function closestScope(from: Element | null, entities: ReadonlyMap<Element, unknown>): Element | null {
  let element = from;
  while (element && !entities.has(element)) element = element.parentElement;
  return element;
}

const propertyNames = (element: Element): string[] =>
  (element.getAttribute('itemprop') ?? element.getAttribute('property') ?? '')
    .split(/\s+/)
    .filter(Boolean)
    .map(localName);

function markedUpValue(element: Element): string {
  const attribute = ['content', 'href', 'src', 'datetime'].find((name) => element.hasAttribute(name));
  const value = attribute ? element.getAttribute(attribute) : null;
  // For a name or number that is a link, its text counts, not its URL.
  const isLink = attribute === 'href' && !/^(?:mailto|tel):/i.test(value ?? '');
  const wantsUrl = /^(?:url|sameAs|logo|image)$/.test(propertyNames(element)[0] ?? '');
  const text = value !== null && (!isLink || wantsUrl) ? value : linedText(element);
  return collapseSpaces(text.slice(0, MAX_TEXT * 2)).slice(0, MAX_TEXT);
}

/** `textContent` with spaces between child nodes, which it would join. */
function linedText(element: Element): string {
  if (element.childElementCount === 0) return element.textContent ?? '';
  let text = '';
  for (let node = element.firstChild; node; node = node.nextSibling) text += `${node.textContent || ' '} `;
  return text.replace(/ ([,.;])/g, '$1');
}

/** vCards in class names (hCard, h-card), mapped to schema.org terms. */
function hCards({ cards }: PageElements): Entity[] {
  return cards.slice(0, 100).map((card) => {
    const properties = new Map<string, Value[]>();
    const addresses = select(card, '.adr, .h-adr');
    for (const address of addresses)
      push(properties, 'address', cardPart(address, 'PostalAddress', ADR_CLASSES));
    const inCard = cardPart(card, 'Organization', CARD_CLASSES);
    for (const [name, values] of inCard.properties) for (const value of values) push(properties, name, value);
    for (const number of select(card, '.tel, .p-tel')) {
      const kind = collapseSpaces(number.querySelector('.type')?.textContent ?? '').toLowerCase();
      const value = number.querySelector('.value') ?? number;
      const isFax = /fax/.test(kind) || /fax/i.test(number.getAttribute('class') ?? '');
      push(
        properties,
        isFax ? 'faxNumber' : 'telephone',
        collapseSpaces(value.textContent).replace(/^\D{0,20}?(?=[+(\d])/, ''),
      );
    }
    if (addresses.length === 0) {
      const loose = cardPart(card, 'PostalAddress', ADR_CLASSES);
      if (loose.properties.size > 0) push(properties, 'address', loose);
    }
    const isOrganization = card.querySelector('.org, .p-org') !== null || addresses.length > 0;
    return {
      types: isOrganization ? ['Organization'] : ['Person'],
      properties,
      method: 'hcard' as const,
      role: null,
    };
  });
}

const CARD_CLASSES = {
  name: ['org', 'p-org', 'fn', 'p-name'],
  email: ['email', 'u-email'],
  logo: ['logo', 'u-logo'],
};
const ADR_CLASSES = {
  streetAddress: ['street-address', 'p-street-address'],
  postOfficeBoxNumber: ['post-office-box'],
  addressLocality: ['locality', 'p-locality'],
  addressRegion: ['region', 'p-region'],
  postalCode: ['postal-code', 'p-postal-code'],
  addressCountry: ['country-name', 'p-country-name'],
};

function cardPart(scope: Element, type: string, classes: Record<string, string[]>): Entity {
  const properties = new Map<string, Value[]>();
  for (const [name, options] of Object.entries(classes)) {
    for (const option of options) {
      const found = select(scope, `.${option}`);
      const values = found
        .map((element) => element.getAttribute('src') ?? collapseSpaces(linedText(element)))
        .filter(Boolean);
      if (values.length === 0) continue;
      properties.set(name, values.slice(0, 20));
      break;
    }
  }
  return { types: [type], properties, method: 'hcard', role: type === 'PostalAddress' ? 'address' : null };
}

function push(properties: Map<string, Value[]>, name: string, value: Value): void {
  const values = properties.get(name);
  if (!values) properties.set(name, [value]);
  else if (values.length < 500) values.push(value);
}
