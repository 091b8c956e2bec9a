import type { Fence, Progress } from '../core/jobs/job.ts';
import type { Lead } from '../core/leads/lead.ts';
import { foldWords } from '../core/text.ts';
import type { Sql } from './connect.ts';
import { insertEvents } from './insert-events.ts';
import { PROGRESSED, progressEvents, setsProgress } from './jobs/progress.ts';
import { detailOf } from './lead-candidates.ts';
import { statement } from './statement.ts';
import { chargePages } from './usage/accounting.ts';

/**
 * What a worker writes while it searches for leads. Every statement carries the fence: status,
 * attempt and worker.
 */

export interface FoundLead {
  /** One lead per job and key: a registrable domain, or what identifies a business without one. */
  key: string;
  lead: Lead;
  /** The job's limit of leads. */
  maxLeads: number;
  progress: Progress;
  /** What its source said of it. */
  candidate?: { url: string | null; name: string | null };
}

export type LeadStored =
  /** `leads` is the number of leads the job has now. */
  | { kind: 'stored'; isNew: boolean; leads: number }
  /** The job has reached its limit. */
  | { kind: 'full'; leads: number }
  /** The fence no longer holds; nothing was written. */
  | { kind: 'lost' };

/**
 * Stores a lead, or merges what a later page or source adds to it, with the job's counts and
 * progress and, the first time, its event. One statement: neither a lead without its event nor a
 * second event is possible.
 */
export async function storeLead(sql: Sql, run: Fence, found: FoundLead): Promise<LeadStored> {
  const { key, lead, maxLeads, progress } = found;
  const [row] = await sql.query<{ leads: number; is_new: boolean | null }>(STORE_LEAD, [
    run.id,
    run.attempt,
    run.workerId,
    key,
    lead.domain,
    countriesOf(lead),
    lead.sources,
    lead.emails.length > 0,
    lead.phones.length > 0,
    wordsOf(lead).join(' '),
    JSON.stringify(lead),
    maxLeads,
    progress.done,
    progress.total,
    progress.message,
    JSON.stringify({ domain: lead.domain, company: lead.company, website: lead.website }),
    detailOf(found.candidate ?? { url: lead.website, name: lead.company }),
  ]);
  if (!row) return { kind: 'lost' };
  if (row.is_new === null) return { kind: 'full', leads: row.leads };
  return { kind: 'stored', isNew: row.is_new, leads: row.leads };
}

/**
 * `FOR UPDATE` serializes the runs of one job, so that its count is right and its leads are in
 * commit order. `xmax = 0` distinguishes an inserted row from an existing one: nothing else is
 * reliable when two statements race.
 */
const STORE_LEAD = statement(
  'store_lead',
  `
  WITH mine AS (
    SELECT id, user_id, key_id, correlation_id, leads_count FROM jobs
    WHERE id = $1 AND attempt = $2 AND worker_id = $3 AND status = 'running'
    FOR UPDATE
  ), stored AS (
    INSERT INTO leads (job_id, key, user_id, domain, countries, sources, has_email, has_phone, search_vector, content)
    SELECT id, $4, user_id, $5, $6::text[], $7::text[], $8::boolean, $9::boolean, to_tsvector('simple', $10), $11::json FROM mine
    WHERE leads_count < $12::int OR EXISTS (SELECT FROM leads WHERE job_id = $1 AND key = $4)
    ON CONFLICT (job_id, key) DO UPDATE
    SET domain = excluded.domain, countries = excluded.countries, sources = excluded.sources, has_email = excluded.has_email,
        has_phone = excluded.has_phone, search_vector = excluded.search_vector, content = excluded.content, updated_at = now()
    RETURNING id, xmax = 0 AS is_new
  ), visited AS (
    INSERT INTO lead_candidates (job_id, key, failed, outcome, sources, detail)
    SELECT $1, $4, false, 'lead', $7::text[], $17::json FROM stored
    ON CONFLICT (job_id, key) DO UPDATE
    SET failed = false, outcome = 'lead', sources = excluded.sources, checked_at = now(),
        detail = CASE WHEN lead_candidates.outcome = 'lead' THEN lead_candidates.detail ELSE excluded.detail END
    RETURNING xmax = 0 AS is_first
  ), charged AS (${chargePages('(SELECT mine.id, mine.user_id, mine.key_id FROM mine, visited WHERE is_first)')}
  ), counted AS (
    UPDATE jobs j
    SET leads_count = m.leads_count + CASE WHEN s.is_new THEN 1 ELSE 0 END, ${setsProgress('$13', '$14', '$15')}
    FROM mine m, stored s WHERE j.id = m.id
    RETURNING j.leads_count, ${PROGRESSED}
  ), progress_event AS (${progressEvents('counted')}), event AS (${insertEvents({
    ...{ from: 'mine m, stored s WHERE s.is_new', type: "'lead.found'" },
    ...{ userId: 'm.user_id', jobId: 'm.id', correlationId: 'm.correlation_id' },
    data: "(json_build_object('job_id', m.id, 'lead_id', s.id::text)::jsonb || $16::jsonb)::json",
  })})
  SELECT coalesce(c.leads_count, m.leads_count) AS leads, s.is_new
  FROM mine m LEFT JOIN stored s ON true LEFT JOIN counted c ON true
  `,
);

/** Records the progress of a search; false if the fence no longer holds. */
export async function reportSearch(sql: Sql, run: Fence, progress: Progress): Promise<boolean> {
  const { done, total, message } = progress;
  const rows = await sql.query(REPORT_SEARCH, [run.id, run.attempt, run.workerId, done, total, message]);
  return rows.length > 0;
}

const REPORT_SEARCH = statement(
  'report_search',
  `
  WITH mine AS (
    UPDATE jobs j SET ${setsProgress('$4', '$5', '$6')}
    WHERE id = $1 AND attempt = $2 AND worker_id = $3 AND status = 'running'
    RETURNING ${PROGRESSED}
  ), progress_event AS (${progressEvents('mine')})
  SELECT id FROM mine
  `,
);

/** A stored lead of a job; null if there is none. */
export async function findLead(sql: Sql, jobId: string, key: string): Promise<Lead | null> {
  const [row] = await sql.query<{ content: Lead }>(FIND_LEAD, [jobId, key]);
  return row?.content ?? null;
}

const FIND_LEAD = statement('find_lead', 'SELECT content FROM leads WHERE job_id = $1 AND key = $2');

export async function countLeads(sql: Sql, jobId: string): Promise<number> {
  const [row] = await sql.query<{ leads: number }>(COUNT_LEADS, [jobId]);
  return row?.leads ?? 0;
}

const COUNT_LEADS = statement('count_leads', 'SELECT leads_count AS leads FROM jobs WHERE id = $1');

/** A lead as it is listed. `id` is decimal text. */
export interface ListedLead {
  id: string;
  lead: Lead;
}

/** Leads of a job in the order of discovery, after a place (`0` for the first). */
export async function listJobLeads(
  sql: Sql,
  jobId: string,
  after: string,
  limit: number,
): Promise<{ leads: ListedLead[]; next: string | null }> {
  return partOf(await sql.query<LeadRow>(LIST_JOB_LEADS, [jobId, after, limit + 1]), limit);
}

const LIST_JOB_LEADS = statement(
  'list_job_leads',
  'SELECT id::text AS id, content FROM leads WHERE job_id = $1 AND id > $2::bigint ORDER BY id LIMIT $3',
);

export interface LeadsQuery {
  userId: string;
  /** Words; each matches the beginning of a word in the lead. */
  q: string | undefined;
  domain: string | undefined;
  /** ISO 3166-1 alpha-2. */
  country: string | undefined;
  source: string | undefined;
  hasEmail: boolean | undefined;
  hasPhone: boolean | undefined;
}

/** A business across jobs, as its latest job found it. */
export interface KnownLead extends ListedLead {
  foundAt: Date;
  /** The jobs that found it, newest first; at most fifty. */
  jobIds: string[];
}

/**
 * The id of the latest lead so far: the list up to it stays the same while more leads are found.
 */
export async function findLastLeadId(sql: Sql, userId: string): Promise<string> {
  const [row] = await sql.query<{ id: string }>(FIND_LAST_LEAD, [userId]);
  return row?.id ?? '0';
}

const FIND_LAST_LEAD = statement(
  'find_last_lead',
  'SELECT id::text AS id FROM leads WHERE user_id = $1 ORDER BY id DESC LIMIT 1',
);

/**
 * The businesses of all a user's jobs, newest first, each once, as it was found last. `before` is
 * the place to continue after, and `upTo` the last lead when the first page was read: a business
 * that is found again moves to the front, and would be missing from the later pages.
 */
export async function listKnownLeads(
  sql: Sql,
  query: LeadsQuery,
  { before, upTo }: { before: string; upTo: string },
  limit: number,
): Promise<{ leads: KnownLead[]; next: string | null }> {
  const { userId, q, domain, country, source, hasEmail, hasPhone } = query;
  const words = q === undefined ? [] : foldedWords(q);
  // Words without a letter or digit match nothing, on every page alike.
  if (q !== undefined && words.length === 0) return { leads: [], next: null };
  const way = words.length > 0 ? SEARCH_KNOWN_LEADS : domain ? LIST_KNOWN_LEADS_OF_DOMAIN : LIST_KNOWN_LEADS;
  const rows = await sql.query<KnownLeadRow>(way, [
    ...[userId, before, limit + 1, domain ?? null, country ?? null, source ?? null],
    ...[hasEmail ?? null, hasPhone ?? null, upTo],
    ...(words.length > 0 ? [words.map((word) => `${word}:*`).join(' & ')] : []),
  ]);
  const { leads, next } = partOf(rows, limit);
  return {
    next,
    leads: leads.map((listed, index) => ({
      ...listed,
      foundAt: rows[index]?.found_at ?? new Date(0),
      jobIds: rows[index]?.job_ids ?? [],
    })),
  };
}

interface LeadRow {
  id: string;
  content: Lead;
}

interface KnownLeadRow extends LeadRow {
  found_at: Date;
  job_ids: string[];
}

function partOf(rows: LeadRow[], limit: number): { leads: ListedLead[]; next: string | null } {
  const part = rows.slice(0, limit).map(({ id, content }) => ({ id, lead: content }));
  return { leads: part, next: rows.length > limit ? (part.at(-1)?.id ?? null) : null };
}

/**
 * Which of a user's finds of a business is the latest is computed and not stored: a flag on the row
 * would have to move when jobs run concurrently, and when the pruner deletes the latest one. The
 * index answers it with one probe per row.
 */
const KNOWN_LEADS = (condition: string): string => `
  SELECT l.id::text AS id, l.content, l.found_at,
         ARRAY(SELECT o.job_id::text FROM leads o WHERE o.user_id = l.user_id AND o.key = l.key ORDER BY o.id DESC LIMIT 50) AS job_ids
  FROM leads l
  WHERE l.user_id = $1 AND l.id < $2::bigint AND l.id <= $9::bigint ${condition}
    AND ($5::text IS NULL OR $5 = ANY (l.countries))
    AND ($6::text IS NULL OR $6 = ANY (l.sources))
    AND ($7::boolean IS NULL OR l.has_email = $7)
    AND ($8::boolean IS NULL OR l.has_phone = $8)
    AND ($4::text IS NULL OR l.domain = $4)
    AND NOT EXISTS (SELECT FROM leads o WHERE o.user_id = l.user_id AND o.key = l.key AND o.id > l.id AND o.id <= $9::bigint)
  ORDER BY l.id DESC LIMIT $3`;

const LIST_KNOWN_LEADS = statement('list_known_leads', KNOWN_LEADS(''));
const LIST_KNOWN_LEADS_OF_DOMAIN = statement('list_known_leads_of_domain', KNOWN_LEADS('AND l.domain = $4'));
const SEARCH_KNOWN_LEADS = statement(
  'search_known_leads',
  KNOWN_LEADS(`AND l.search_vector @@ to_tsquery('simple', $10)`),
);

export const countriesOf = ({ addresses }: Lead): string[] => [
  ...new Set(addresses.flatMap(({ country }) => country ?? [])),
];

/** The beginning of a description: a tsvector holds at most a megabyte. */
export const wordsOf = (lead: Lead): string[] => [
  ...new Set(
    foldedWords(
      [
        lead.company,
        lead.domain,
        ...lead.emails,
        ...lead.phones,
        lead.industry,
        ...lead.addresses.map(({ text, city, region }) => [text, city, region].join(' ')),
        lead.description?.slice(0, 2000),
      ].join(' '),
    ),
  ),
];

/**
 * Lower case, without accents, split at everything that is no letter or digit: the same rule for
 * leads and searches.
 */
const foldedWords = (text: string): string[] =>
  foldWords(text)
    .split(' ')
    .filter((word) => word !== '' && word.length <= 100);
