import { isAggregatorSite, siteKey } from '../../../core/leads/domains.ts';
import { parseUrl } from '../../../core/parse-url.ts';
import type { ContactField, Observation } from '../../extraction/contacts/finding.ts';
import { collapseSpaces, parsePage, select } from '../../extraction/document/dom.ts';
import { internationalPhone } from '../phone.ts';
import type { Directory, DirectoryFields } from './directories-file.ts';
import { requireOk, sourceError } from './errors.ts';
import type { DirectoryPage, Listing } from './readings.ts';
import { unwrapRedirect } from './redirectors.ts';
import { pause } from './search-results.ts';
import type { Candidate, LeadQuery, Source, SourceAnswer, SourceContext } from './source.ts';

const BETWEEN_PAGES_MS = 1000;
const CONFIDENCE = 0.7;
/** Of a page; directories list fewer. */
const MAX_LISTINGS = 1000;

/**
 * Business directories that the operator declared by selectors, queried in order. The source fails
 * only if all of them fail.
 */
export function createDirectory(directories: readonly Directory[]): Source {
  return {
    name: 'directory',
    async *discover(query, context) {
      if (directories.length === 0) {
        throw sourceError(
          'directory',
          'source_not_configured',
          'set DIRECTORIES_FILE to a file that declares some',
        );
      }
      let failures = 0;
      let last: unknown;
      for (const directory of directories) {
        try {
          yield* listings(directory, query, context);
        } catch (error) {
          context.signal.throwIfAborted();
          failures += 1;
          last = error;
        }
      }
      if (failures === directories.length) throw last;
    },
  };
}

async function* listings(
  directory: Directory,
  query: LeadQuery,
  context: SourceContext,
): AsyncGenerator<Candidate> {
  const seen = new Set<string>();
  let url: string | null = searchUrl(directory, query, 0);
  for (let page = 0; url !== null && page < directory.max_pages; page += 1) {
    if (page > 0) await pause(BETWEEN_PAGES_MS, context.signal);
    const answer: SourceAnswer = await context.fetch(url);
    // A page after the last one.
    if (answer.status === 404 && page > 0) return;
    const read = await context.read('directory_page', { answer, directory });
    let isNew = false;
    for (const listing of read.listings) {
      const candidate = await completeListing(listing, directory, context);
      const key = candidate && ((candidate.url && siteKey(candidate.url)) ?? candidate.name);
      if (!candidate || !key || seen.has(key)) continue;
      seen.add(key);
      isNew = true;
      yield candidate;
      if (seen.size >= query.limit) return;
    }
    if (!isNew) return;
    url = nextPage(directory, query, read.next, page + 1);
  }
}

function searchUrl(directory: Directory, query: LeadQuery, page: number): string {
  const values: Record<string, string> = {
    query: query.text,
    industry: query.industry ?? query.text,
    geography: query.geography ?? '',
    keywords: query.keywords.join(' '),
    page: String(directory.first_page + page),
  };
  return directory.search_url.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? encodeURIComponent(values[name] ?? '') : whole,
  );
}

function nextPage(directory: Directory, query: LeadQuery, next: string | null, page: number): string | null {
  if (directory.next) return next;
  return directory.search_url.includes('{page}') ? searchUrl(directory, query, page) : null;
}

export function readDirectoryPage({
  answer,
  directory,
}: {
  answer: SourceAnswer;
  directory: Directory;
}): DirectoryPage {
  requireOk('directory', answer);
  const document = parsePage(answer.body, answer.url);
  const hrefOf = (scope: Document | Element, selector: string) =>
    matches(scope, selector, directory)[0]?.getAttribute('href') ?? null;
  return {
    listings: matches(document, directory.listing, directory)
      .slice(0, MAX_LISTINGS)
      .map((listing) => ({
        ...readFields(listing, directory.fields, directory, answer.url),
        detail: directory.detail ? hrefOf(listing, directory.detail.link) : null,
      })),
    next: directory.next ? hrefOf(document, directory.next) : null,
  };
}

export const readDirectoryDetail = ({
  answer,
  directory,
}: {
  answer: SourceAnswer;
  directory: Directory;
}): Listing =>
  readFields(
    parsePage(answer.body, answer.url),
    directory.detail?.fields ?? directory.fields,
    directory,
    answer.url,
  );

/** Adds what the detail page of a listing says, if the directory has such pages. */
async function completeListing(
  { detail, ...listing }: DirectoryPage['listings'][number],
  directory: Directory,
  context: SourceContext,
): Promise<Candidate | null> {
  const found: Listing = { ...listing, observations: [...listing.observations] };
  if (detail && parseUrl(detail)) {
    await pause(BETWEEN_PAGES_MS, context.signal);
    const answer = await context.fetch(detail);
    if (answer.status < 400) {
      const more = await context.read('directory_detail', { answer, directory });
      found.observations.push(...more.observations);
      found.website ??= more.website;
    }
  }
  const name = found.observations.find(({ field }) => field === 'company')?.value ?? null;
  if (name === null && found.website === null) return null;
  return { source: 'directory', url: found.website, name, observations: found.observations };
}

function readFields(scope: Document | Element, fields: DirectoryFields, directory: Directory, url: string) {
  const observations: Observation[] = [];
  let website: string | null = null;
  for (const [name, field] of Object.entries(fields)) {
    const { selector, attribute } =
      typeof field === 'string' ? { selector: field, attribute: undefined } : field;
    const element = matches(scope, selector, directory)[0];
    const text = element && textIn(element, attribute, name);
    if (!text) continue;
    if (name === 'website') {
      const target = unwrapRedirect(/^[\w-]+(\.[\w-]+)+(\/\S*)?$/.test(text) ? `http://${text}` : text, url);
      if (target && siteKey(target) !== siteKey(url) && !isAggregatorSite(target)) website = target;
      continue;
    }
    const value = clean(name as ContactField, text, directory.country);
    if (value === null) continue;
    observations.push({
      ...{ field: name as ContactField, value, url, method: 'selector', snippet: text.slice(0, 200) },
      confidence: CONFIDENCE,
      ...(name === 'address' ? { address: unparsedAddress(value, directory.country) } : {}),
    });
  }
  return { observations, website };
}

function textIn(element: Element, attribute: string | undefined, name: string): string {
  if (attribute) return collapseSpaces(element.getAttribute(attribute));
  const href = element.getAttribute('href') ?? '';
  if (name === 'website' && href) return href;
  if (/^(mailto|tel):/i.test(href)) return decodeURI(href.replace(/^\w+:/, '').split('?', 1)[0] ?? '');
  return collapseSpaces(element.textContent);
}

function clean(field: ContactField, text: string, country: string | undefined): string | null {
  if (field === 'phone' || field === 'fax') return internationalPhone(text, country);
  if (field === 'email') {
    const address = text.replace(/^mailto:/i, '').toLowerCase();
    return address.length <= 320 && /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(address) ? address : null;
  }
  return text;
}

const unparsedAddress = (text: string, country: string | undefined) => ({
  ...{ text, street: null, city: null, region: null, postal_code: null },
  country: country ?? null,
});

/** @throws `source_not_configured` if the selector is invalid, which only shows on a page */
function matches(scope: Document | Element, selector: string, { name }: Directory): Element[] {
  try {
    return select(scope, selector);
  } catch (cause) {
    throw sourceError(
      'directory',
      'source_not_configured',
      `${name}: "${selector}" is not a valid selector`,
      { cause },
    );
  }
}
