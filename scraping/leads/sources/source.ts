import type { SourceType } from '../../../core/leads/lead.ts';
import type { Observation } from '../../extraction/contacts/finding.ts';

/** What a job looks for, as every source gets it. */
export interface LeadQuery {
  /** For search engines: the user's own words, or put together from industry, keywords and geography. Empty for urls alone. */
  text: string;
  industry: string | null;
  geography: string | null;
  keywords: readonly string[];
  /** ISO 3166-1 alpha-2, where `geography` says it. */
  country: string | null;
  urls: readonly string[];
  /** Candidates worth giving; a source may stop at fewer. */
  limit: number;
}

/** A business that may be a lead. */
export interface Candidate {
  source: SourceType;
  /** Of its web site, any page of it; null where the source knows none. */
  url: string | null;
  name: string | null;
  /** What the source itself knows of it. */
  observations: Observation[];
}

/**
 * A place where businesses are found. Gives candidates as it comes by them, each site once, best first; at the end of what it has it
 * just ends.
 *
 * @throws PermanentError or RetryableError with a code of `SOURCE_ERRORS`, also after it gave some
 */
export interface Source {
  readonly name: SourceType;
  discover(query: LeadQuery, context: SourceContext): AsyncIterable<Candidate>;
}

export interface SourceContext {
  fetch: SourceFetch;
  signal: AbortSignal;
}

/** One GET, by way of the egress guard, redirects followed. An answer of any status is an answer. */
export type SourceFetch = (
  url: string,
  options?: { headers?: Record<string, string>; timeoutMs?: number },
) => Promise<SourceAnswer>;

export interface SourceAnswer {
  status: number;
  /** After redirects. */
  url: string;
  body: string;
}
