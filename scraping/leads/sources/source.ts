import type { SourceType } from '../../../core/leads/lead.ts';
import type {
  Candidate,
  SourceAnswer,
  SourceReadingInput,
  SourceReadingName,
  SourceReadingResult,
} from './readings.ts';

export type { Candidate, SourceAnswer } from './readings.ts';

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
  /** Reads an answer outside of the event loop. */
  read: ReadAnswer;
  signal: AbortSignal;
}

/**
 * @throws the reading's source error; `source_unreadable` if it takes too long or fails
 */
export type ReadAnswer = <Name extends SourceReadingName>(
  name: Name,
  input: SourceReadingInput<Name>,
) => Promise<SourceReadingResult<Name>>;

/** One GET through the egress guard, redirects followed. Resolves for any status. */
export type SourceFetch = (
  url: string,
  options?: { headers?: Record<string, string>; timeoutMs?: number },
) => Promise<SourceAnswer>;
