import { countryCode } from '../../../core/leads/country.ts';
import { isAggregatorSite, siteKey } from '../../../core/leads/domains.ts';
import type { Address } from '../../../core/leads/lead.ts';
import type { ContactField, Observation } from '../../extraction/contacts/finding.ts';
import { parsePage, select } from '../../extraction/document/dom.ts';
import { requireOk, sourceError } from './errors.ts';
import type { CompanyPage } from './readings.ts';
import { pause, type SearchEngine, searchResults } from './search-results.ts';
import type { Candidate, Source, SourceAnswer } from './source.ts';

const BETWEEN_PAGES_MS = 2000;
/** Consecutive auth walls after which the source gives up. */
const WALLS_TO_STOP = 3;

/** Public company pages of LinkedIn, found through a search engine and read by their JSON-LD. */
export function createLinkedIn({ url, engine }: { url: string; engine: SearchEngine }): Source {
  return {
    name: 'linkedin',
    async *discover(query, context) {
      const seen = new Set<string>();
      let walls = 0;
      let read = 0;
      const text = `site:linkedin.com/company ${query.text}`;
      for await (const result of searchResults(engine, text, query, context)) {
        const slug = companySlug(result.url);
        if (slug === null || seen.has(slug)) continue;
        seen.add(slug);
        if (seen.size > query.limit) return;
        if (seen.size > 1) await pause(BETWEEN_PAGES_MS, context.signal);
        const answer = await context.fetch(new URL(`/company/${slug}`, url).href);
        const profile = `https://www.linkedin.com/company/${slug}`;
        const page = await context.read('linkedin_company', { answer, profile });
        if (page.kind === 'auth_wall') {
          walls += 1;
          if (walls >= WALLS_TO_STOP) throw authWallError();
          continue;
        }
        walls = 0;
        if (page.kind === 'missing' || !page.candidate) continue;
        read += 1;
        yield page.candidate;
      }
      if (walls > 0 && read === 0) throw authWallError();
    },
  };
}

export function readLinkedInCompany({
  answer,
  profile,
}: {
  answer: SourceAnswer;
  profile: string;
}): CompanyPage {
  if (isAuthWall(answer)) return { kind: 'auth_wall' };
  if (answer.status === 404) return { kind: 'missing' };
  requireOk('linkedin', answer);
  return { kind: 'company', candidate: readCompany(answer, profile) };
}

const authWallError = () =>
  sourceError('linkedin', 'source_auth_wall', 'it shows company pages to its members only, for now');

function companySlug(address: string): string | null {
  const { pathname } = new URL(address);
  const slug = /^\/company\/([^/]+)/.exec(pathname)?.[1];
  return slug && siteKey(address) !== null ? slug : null;
}

/** 999 is LinkedIn's own status for bots. */
function isAuthWall({ status, url, body }: SourceAnswer): boolean {
  const { pathname } = new URL(url);
  return (
    status === 999 ||
    /^\/(authwall|login|uas\/login|checkpoint|signup)/.test(pathname) ||
    /<meta[^>]{1,200}content="[^"]{0,500}authwall|window\.location\.href\s{0,9}=\s{0,9}["'][^"']{0,500}\/authwall/i.test(
      body,
    )
  );
}

function readCompany(answer: SourceAnswer, profile: string): Candidate | null {
  const document = parsePage(answer.body, answer.url);
  const organization = select(document, 'script[type="application/ld+json"]')
    .flatMap((script) => parseJsonLd(script.textContent ?? ''))
    .find((node) => /^(Organization|Corporation|LocalBusiness)$/.test(String(node['@type'])));
  const name = toText(organization?.name);
  if (!organization || !name) return null;
  const observations: Observation[] = [];
  const add = (field: ContactField, value: string | null, more: Partial<Observation> = {}) => {
    if (!value) return;
    observations.push({
      ...{ field, value, url: profile, method: 'json_ld', snippet: value.slice(0, 200), confidence: 0.8 },
      ...more,
    });
  };
  add('company', name);
  add('social', profile, { network: 'linkedin', confidence: 0.95 });
  add('description', toText(organization.description ?? organization.slogan));
  add('employees', readEmployees(organization.numberOfEmployees));
  add(
    'logo',
    toText(
      (organization.logo as Node | undefined)?.contentUrl ??
        (organization.logo as Node)?.url ??
        organization.logo,
    ),
  );
  const industry = select(document, '[data-test-id="about-us__industry"] dd').map(
    (element) => element.textContent,
  );
  add('industry', toText(industry[0]));
  const address = readAddress(organization.address);
  if (address) add('address', address.text, { address, confidence: 0.7 });
  const [site] = [organization.sameAs, organization.url]
    .flat()
    .flatMap((value) => toText(value) ?? [])
    .filter((value) => siteKey(value) !== null && !isAggregatorSite(value));
  return { source: 'linkedin', url: site ?? null, name, observations };
}

type Node = Record<string, unknown>;

function parseJsonLd(text: string): Node[] {
  try {
    const json: unknown = JSON.parse(text);
    const roots = Array.isArray(json) ? json : [json];
    return roots
      .flatMap((root: Node | null) => [root, ...((root?.['@graph'] as Node[] | undefined) ?? [])])
      .filter((node): node is Node => typeof node === 'object' && node !== null);
  } catch {
    return [];
  }
}

const toText = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value.replace(/\s+/g, ' ').trim() : null;

function readEmployees(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'string') return String(value);
  const { value: exact, minValue, maxValue } = (value ?? {}) as Node;
  if (minValue !== undefined && maxValue !== undefined) return `${minValue}-${maxValue}`;
  return exact === undefined ? null : String(exact);
}

function readAddress(value: unknown): Address | null {
  const [node] = [value].flat() as (Node | undefined)[];
  if (!node || typeof node !== 'object') return null;
  const street = toText(node.streetAddress);
  const city = toText(node.addressLocality);
  const postalCode = toText(node.postalCode);
  if (!street && !city) return null;
  const country = toText(node.addressCountry);
  const region = toText(node.addressRegion);
  const text = [street, [postalCode, city].filter(Boolean).join(' '), country].filter(Boolean).join(', ');
  return { text, street, city, region, postal_code: postalCode, country: countryCode(country ?? '') };
}
