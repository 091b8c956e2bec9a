import { countryCode } from '../../../core/leads/country.ts';
import { isAggregatorSite, siteKey } from '../../../core/leads/domains.ts';
import type { Address } from '../../../core/leads/lead.ts';
import type { ContactField, Observation } from '../../extraction/contacts/finding.ts';
import { internationalPhone } from '../phone.ts';
import { readJson, requireOk, sourceError } from './errors.ts';
import { osmTags } from './osm-tags.ts';
import type { Candidate, LeadQuery, Source, SourceAnswer, SourceContext } from './source.ts';

/** Limits in a query: seconds and elements. Public servers refuse more. */
const SERVER_SECONDS = 60;
const MAX_ELEMENTS = 2000;

/**
 * Businesses of an industry in a place, from an Overpass server. Needs `industry` (or keywords) and
 * `geography`.
 */
export function createOpenStreetMap({ url }: { url: string }): Source {
  return {
    name: 'openstreetmap',
    async *discover(query, context) {
      const candidates = await context.read('overpass', await queryServer(url, query, context));
      yield* candidates.slice(0, query.limit);
    },
  };
}

async function queryServer(url: string, query: LeadQuery, context: SourceContext): Promise<SourceAnswer> {
  if (!query.geography) {
    throw sourceError('openstreetmap', 'source_place_unknown', 'it needs a geography to search in');
  }
  const address = new URL(url);
  address.searchParams.set('data', overpassQuery(query.geography, query));
  return context.fetch(address.href, { timeoutMs: (SERVER_SECONDS + 15) * 1000 });
}

/** The businesses of an answer, each site once, those with a site first. */
export function readOverpass(answer: SourceAnswer): Candidate[] {
  // An overloaded server answers 504 with a page, or 200 with a remark.
  requireOk('openstreetmap', answer);
  const json = readJson('openstreetmap', answer);
  if (typeof json.remark === 'string' && /timed out|out of memory|runtime error/i.test(json.remark)) {
    throw sourceError('openstreetmap', 'source_unavailable', 'the server could not answer in time');
  }
  if (!Array.isArray(json.elements)) {
    throw sourceError('openstreetmap', 'source_unreadable', 'its answer holds no elements');
  }
  const seen = new Set<string>();
  const candidates: Candidate[] = [];
  for (const element of withSitesFirst(json.elements.slice(0, MAX_ELEMENTS).filter(isElement))) {
    const candidate = toCandidate(element);
    if (!candidate) continue;
    const key = (candidate.url && siteKey(candidate.url)) || `${candidate.name} ${element.id}`;
    if (seen.has(key)) continue;
    seen.add(key);
    candidates.push(candidate);
  }
  return candidates;
}

/** Tags are text; an answer with others is not one of an Overpass server. */
const isElement = (element: OsmElement | null): element is OsmElement =>
  typeof element === 'object' &&
  element !== null &&
  Object.values(element.tags ?? {}).every((value) => typeof value === 'string');

/**
 * The query in Overpass QL: the place as an area, within the country if given, and in it all
 * elements with one of the tags. An industry without known tags is searched for in names.
 */
export function overpassQuery(
  geography: string,
  query: Pick<LeadQuery, 'industry' | 'keywords' | 'country'>,
): string {
  const tags = osmTags(query.industry, query.keywords);
  const filters = tags ? tags.map(tagFilter) : nameFilters(query);
  const found = filters.map((filter) => `nwr${filter}(area.place);`).join('');
  return `[out:json][timeout:${SERVER_SECONDS}];${areaQuery(geography, query.country)}(${found});out tags center ${MAX_ELEMENTS};`;
}

function areaQuery(geography: string, country: string | null): string {
  const [place = geography] = geography.split(',').map((part) => part.trim());
  if (countryCode(place)) {
    return `area["ISO3166-1"="${countryCode(place)}"][admin_level="2"]->.place;`;
  }
  const name = quote(place);
  const named = (element: string) =>
    `(${element}["boundary"="administrative"]["name"=${name}];${element}["boundary"="administrative"]["name:en"=${name}];)`;
  if (!country) return `${named('area')}->.place;`;
  const within = `area["ISO3166-1"="${country}"][admin_level="2"]->.country;`;
  return `${within}${named('rel(area.country)')};map_to_area->.place;`;
}

const tagFilter = (tag: string): string => {
  const [key = '', value] = tag.split('=');
  return value === undefined ? `["${key}"]` : `["${key}"="${value}"]`;
};

function nameFilters({ industry, keywords }: Pick<LeadQuery, 'industry' | 'keywords'>): string[] {
  const words = [industry, ...keywords].filter((word): word is string => Boolean(word)).slice(0, 5);
  if (words.length === 0) {
    throw sourceError(
      'openstreetmap',
      'source_place_unknown',
      'it needs an industry or keywords to search for',
    );
  }
  const pattern = quote(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'));
  return ['shop', 'office', 'craft', 'amenity'].map((key) => `["${key}"]["name"~${pattern},i]`);
}

/** A string literal of Overpass QL, escaped against injection. */
const quote = (text: string): string =>
  `"${text
    .replace(/\p{Cc}/gu, ' ')
    .replace(/\\/g, '\\\\')
    .replace(/"/g, '\\"')}"`;

interface OsmElement {
  type: string;
  id: number;
  tags?: Record<string, string>;
}

/** Elements with a website first: they give more facts. */
const withSitesFirst = (elements: OsmElement[]): OsmElement[] =>
  [...elements].sort((a, b) => Number(Boolean(readWebsite(b))) - Number(Boolean(readWebsite(a))));

function readWebsite({ tags = {} }: OsmElement): string | null {
  const given = tags.website ?? tags['contact:website'] ?? tags.url ?? tags['contact:url'];
  const [first = ''] = given?.split(';').map((part) => part.trim()) ?? [];
  if (first === '') return null;
  const url = /^https?:\/\//i.test(first) ? first : `http://${first}`;
  return siteKey(url) === null || isAggregatorSite(url) ? null : url;
}

const CONFIDENCE = 0.8;
const NETWORKS = ['facebook', 'instagram', 'twitter', 'linkedin', 'youtube', 'tiktok', 'xing'];

function toCandidate(element: OsmElement): Candidate | null {
  const { tags = {}, type, id } = element;
  const name = tags.name?.trim();
  if (!name) return null;
  const url = `https://www.openstreetmap.org/${type}/${id}`;
  const address = readAddress(tags);
  const observations: Observation[] = [];
  const add = (
    field: ContactField,
    value: string | null | undefined,
    key: string,
    more: Partial<Observation> = {},
  ) => {
    if (!value?.trim()) return;
    const snippet = `${key}=${value}`.slice(0, 200);
    observations.push({
      field,
      value: value.trim(),
      url,
      method: 'osm',
      snippet,
      confidence: CONFIDENCE,
      ...more,
    });
  };
  const split = (...keys: string[]) =>
    keys.flatMap((key) => (tags[key] ?? '').split(';').map((value) => ({ key, value: value.trim() })));

  add('company', name, 'name');
  for (const { key, value } of split('email', 'contact:email')) {
    if (/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(value)) add('email', value.toLowerCase(), key);
  }
  for (const { key, value } of split('phone', 'contact:phone', 'contact:mobile', 'mobile')) {
    add('phone', internationalPhone(value, address?.country), key);
  }
  for (const { key, value } of split('fax', 'contact:fax')) {
    add('fax', internationalPhone(value, address?.country), key);
  }
  if (address) add('address', address.text, 'addr', { address });
  for (const network of NETWORKS) {
    const value = tags[`contact:${network}`] ?? tags[network];
    if (value && /^https?:\/\//.test(value)) add('social', value, network, { network });
  }
  const kind = ['shop', 'office', 'craft', 'healthcare', 'amenity', 'tourism', 'leisure'].find(
    (key) => tags[key],
  );
  if (kind) add('industry', tags[kind]?.replaceAll('_', ' '), kind, { confidence: 0.5 });
  return { source: 'openstreetmap', url: readWebsite(element), name, observations };
}

function readAddress(tags: Record<string, string>): Address | null {
  const street = [tags['addr:street'] ?? tags['addr:place'], tags['addr:housenumber']]
    .filter(Boolean)
    .join(' ');
  const city = tags['addr:city'] ?? null;
  const postalCode = tags['addr:postcode'] ?? null;
  const country = countryCode(tags['addr:country'] ?? '');
  if (!street && !city) return null;
  const text = [street, [postalCode, city].filter(Boolean).join(' ')].filter(Boolean).join(', ');
  return {
    text,
    street: street || null,
    city,
    region: tags['addr:state'] ?? null,
    postal_code: postalCode,
    country,
  };
}
