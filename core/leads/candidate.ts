import type { SourceType } from './lead.ts';

/**
 * What became of a site or business that a source named:
 *
 * - `lead`: it is a lead of the job
 * - `merged`: its site redirects to another candidate's, `merged_into`
 * - `filtered`: a known field does not match `filter`
 * - `empty`: nothing to store, for a `reason`
 * - `failed`: its site could not be read, `error`
 * - `skipped`: the job had enough leads before
 */
export const CANDIDATE_OUTCOMES = ['lead', 'merged', 'filtered', 'empty', 'failed', 'skipped'] as const;
export type CandidateOutcome = (typeof CANDIDATE_OUTCOMES)[number];

/** `about_others`: a directory, a network, a list of other businesses. */
export type EmptyReason = 'no_contacts' | 'about_others';

/** A candidate of a job. What does not apply is null. */
export interface LeadCandidate {
  /** Registrable domain, or what identifies a business without a site. */
  key: string;
  url: string | null;
  name: string | null;
  sources: SourceType[];
  outcome: CandidateOutcome;
  reason: EmptyReason | 'max_leads' | null;
  /** Of `filters`, or `geography`. */
  filter: string | null;
  /** The key of another candidate. */
  merged_into: string | null;
  error: { code: string; message: string } | null;
  /** ISO 8601, UTC. */
  checked_at: string;
}

/** What a job's worker knows when it has handled a candidate. */
export type HandledCandidate = Omit<LeadCandidate, 'sources' | 'checked_at'> & { source: SourceType };
