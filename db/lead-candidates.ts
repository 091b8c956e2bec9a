import type { Fence, Progress } from '../core/jobs/job.ts';
import type { CandidateOutcome, HandledCandidate, LeadCandidate } from '../core/leads/candidate.ts';
import type { SourceType } from '../core/leads/lead.ts';
import type { Sql } from './connect.ts';
import { PROGRESSED, progressEvents, setsProgress } from './jobs/progress.ts';
import { statement } from './statement.ts';
import { chargePages } from './usage/accounting.ts';

/** Sites and businesses that a lead search looked at, and what became of each. */

/** What is kept of a candidate beside its outcome and sources. */
export const detailOf = (candidate: Omit<Partial<HandledCandidate>, 'key' | 'outcome' | 'source'>): string =>
  JSON.stringify({
    ...{ url: candidate.url ?? null, name: candidate.name ?? null, reason: candidate.reason ?? null },
    ...{ filter: candidate.filter ?? null, merged_into: candidate.merged_into ?? null },
    error: candidate.error ?? null,
  });

/** Records that a candidate was handled and yielded no lead; false if the fence no longer holds. */
export async function storeLeadCandidate(
  sql: Sql,
  run: Fence,
  visit: {
    candidate: HandledCandidate;
    /** Whether a later attempt may read it again. */
    retryable: boolean;
    errors: number;
    progress: Progress;
  },
): Promise<boolean> {
  const { candidate, retryable, errors, progress } = visit;
  const rows = await sql.query(STORE_CANDIDATE, [
    ...[run.id, run.attempt, run.workerId, candidate.key, retryable],
    ...[progress.done, progress.total, progress.message, errors],
    ...[candidate.outcome, [candidate.source], detailOf(candidate)],
  ]);
  return rows.length > 0;
}

const UNITED = `ARRAY(SELECT DISTINCT s FROM unnest(lead_candidates.sources || excluded.sources) s ORDER BY s)`;

const STORE_CANDIDATE = statement(
  'store_lead_candidate',
  `
  WITH mine AS (
    UPDATE jobs j SET ${setsProgress('$6', '$7', '$8')}, errors_count = $9
    WHERE id = $1 AND attempt = $2 AND worker_id = $3 AND status = 'running'
    RETURNING j.key_id, ${PROGRESSED}
  ), progress_event AS (${progressEvents('mine')}), stored AS (
    INSERT INTO lead_candidates (job_id, key, failed, outcome, sources, detail)
    SELECT id, $4, $5, $10, $11::text[], $12::json FROM mine
    ON CONFLICT (job_id, key) DO UPDATE
    SET failed = excluded.failed, outcome = excluded.outcome, sources = ${UNITED}, detail = excluded.detail, checked_at = now()
    RETURNING key, xmax = 0 AND outcome <> 'skipped' AS is_first
  ), charged AS (${chargePages('(SELECT mine.id, mine.user_id, mine.key_id FROM mine, stored WHERE is_first)')}
  )
  SELECT key FROM stored
  `,
);

/** Adds another source of a candidate that was handled before. */
export async function addCandidateSource(
  sql: Sql,
  run: Fence,
  key: string,
  source: SourceType,
): Promise<void> {
  await sql.query(ADD_CANDIDATE_SOURCE, [run.id, run.attempt, run.workerId, key, source]);
}

const ADD_CANDIDATE_SOURCE = statement(
  'add_candidate_source',
  `
  UPDATE lead_candidates c SET sources = array_append(c.sources, $5::text) FROM jobs j
  WHERE j.id = $1 AND j.attempt = $2 AND j.worker_id = $3 AND j.status = 'running'
    AND c.job_id = j.id AND c.key = $4 AND NOT $5::text = ANY (c.sources)
  `,
);

/**
 * The candidates that earlier attempts of a job handled, and which of them failed and may be
 * retried.
 */
export async function listHandledCandidates(
  sql: Sql,
  jobId: string,
): Promise<{ key: string; failed: boolean }[]> {
  return sql.query(LIST_HANDLED_CANDIDATES, [jobId]);
}

const LIST_HANDLED_CANDIDATES = statement(
  'list_handled_candidates',
  'SELECT key, failed FROM lead_candidates WHERE job_id = $1',
);

/** Candidates of a job in the order they were handled, after a place (`0` for the first). */
export async function listLeadCandidates(
  sql: Sql,
  jobId: string,
  query: { after: string; limit: number; outcome: CandidateOutcome | undefined },
): Promise<{ candidates: LeadCandidate[]; next: string | null }> {
  const { after, limit, outcome } = query;
  const rows = await sql.query<CandidateRow>(LIST_CANDIDATES, [jobId, after, limit + 1, outcome ?? null]);
  const candidates = rows.slice(0, limit).map(({ key, sources, outcome, detail, checked_at }) => ({
    key,
    url: detail.url ?? null,
    name: detail.name ?? null,
    sources,
    outcome,
    reason: detail.reason ?? null,
    filter: detail.filter ?? null,
    merged_into: detail.merged_into ?? null,
    error: detail.error ?? null,
    checked_at: checked_at.toISOString(),
  }));
  return { candidates, next: rows.length > limit ? (rows[limit - 1]?.id ?? null) : null };
}

interface CandidateRow {
  id: string;
  key: string;
  sources: SourceType[];
  outcome: CandidateOutcome;
  detail: Partial<LeadCandidate>;
  checked_at: Date;
}

const LIST_CANDIDATES = statement(
  'list_candidates',
  `
  SELECT id::text AS id, key, sources, outcome, detail, checked_at FROM lead_candidates
  WHERE job_id = $1 AND id > $2::bigint AND ($4::text IS NULL OR outcome = $4) ORDER BY id LIMIT $3
  `,
);
