import type { SourceType } from '../../../core/leads/lead.ts';
import type { Observation } from '../../extraction/contacts/finding.ts';

/** The search of a job, as given to every source. */
export interface LeadQuery {
  /**
   * For search engines: the user's own query, or industry, keywords and geography. Empty if the job
   * only has URLs.
   */
  text: string;
  industry: string | null;
  geography: string | null;
  keywords: readonly string[];
  /** ISO 3166-1 alpha-2; null if neither geography nor filters tell it. */
  country: string | null;
  urls: readonly string[];
  /** Maximum of useful candidates; a source may end with fewer. */
  limit: number;
}

/** A business that may be a lead. */
export interface Candidate {
  source: SourceType;
  /** Any page of its website; null if the source knows none. */
  url: string | null;
  name: string | null;
  /** What the source itself knows about it. */
  observations: Observation[];
}

/**
 * A source of businesses. `discover` yields candidates as they are found, each site once, best
 * first, and returns at the end.
 *
 * @throws PermanentError or RetryableError with a code of `SOURCE_ERRORS`, possibly after some
 *   candidates
 */
export interface Source {
  readonly name: SourceType;
  discover(query: LeadQuery, context: SourceContext): AsyncIterable<Candidate>;
}

export interface SourceContext {
  fetch: SourceFetch;
  signal: AbortSignal;
}

/** One GET through the egress guard, redirects followed. Resolves for any status. */
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
