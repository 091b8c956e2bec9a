import type { ScrapeRequest } from '../../core/jobs/job-schemas.ts';
import { countryOfGeography } from '../../core/leads/country.ts';
import { DEFAULT_MAX_LEADS } from '../../core/leads/lead.ts';
import type { LeadQuery } from './sources/source.ts';

type Search = Pick<
  ScrapeRequest,
  'urls' | 'industry' | 'geography' | 'keywords' | 'search_query' | 'max_leads' | 'filters' | 'source_types'
>;

/** Whether a job searches leads: it names sources or a number of leads, or has no URLs to load. */
export const wantsLeads = (spec: Search): boolean =>
  spec.source_types !== undefined || spec.max_leads !== undefined || spec.urls === undefined;

/** About a third of the candidates are no leads: dead, without contacts, or filtered out. */
const CANDIDATES_PER_LEAD = 4;
const MIN_CANDIDATES = 20;

export function leadQuery(spec: Search): LeadQuery {
  const maxLeads = spec.max_leads ?? DEFAULT_MAX_LEADS;
  return {
    text: searchText(spec),
    industry: spec.industry ?? null,
    geography: spec.geography ?? null,
    keywords: spec.keywords ?? [],
    country: countryOfGeography(spec.geography) ?? countryFromFilters(spec.filters),
    urls: spec.urls ?? [],
    limit: Math.max(MIN_CANDIDATES, maxLeads * CANDIDATES_PER_LEAD),
  };
}

/**
 * The user's own query unchanged, plus the place unless it contains it; else industry, keywords and
 * place.
 */
function searchText({ search_query: own, industry, keywords = [], geography }: Search): string {
  const words = own ? [own] : [industry, ...keywords].filter((word) => word !== undefined);
  const text = words.join(' ').trim();
  if (!geography || text === '' || text.toLowerCase().includes(geography.toLowerCase())) return text;
  return `${text} ${geography}`;
}

function countryFromFilters(filters: Search['filters']): string | null {
  const { country } = filters ?? {};
  return typeof country === 'string' ? countryOfGeography(country) : null;
}
