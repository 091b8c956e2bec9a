import type { KeyLimits, LimitName, LimitReached, Limits } from '../../core/accounts/limits.ts';
import type { JobSpec } from '../../core/jobs/job.ts';
import { DEFAULT_MAX_ATTEMPTS, DEFAULT_PRIORITY } from '../../core/jobs/job-schemas.ts';
import { secretsOf, shownSpec } from '../../core/jobs/job-secrets.ts';
import type { JobStatus } from '../../core/jobs/job-status.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Sql } from '../connect.ts';
import { insertEvents } from '../insert-events.ts';
import { place } from '../secrets/places.ts';
import { statement } from '../statement.ts';
import { QUOTAS_OF } from '../usage/allowance.ts';
import { changeTurns, FRESH_MS } from './turns.ts';

/** What one request submits: one job, or the jobs of a batch, all or nothing. */
export interface Submission {
  userId: string;
  /** Undefined: posted without one. */
  keyId?: string;
  /** Of the user, and of the key beside them. Default: none. */
  limits?: Limits;
  keyLimits?: KeyLimits;
  correlationId: string;
  /** As requested; their secrets are stored apart, encrypted. */
  specs: JobSpec[];
  idempotency?: { key: string; bodyHash: string };
}

export interface AcceptedJob {
  id: string;
  status: JobStatus;
  createdAt: Date;
  /** How many jobs of its user may run at once; null for no limit. */
  runningLimit: number | null;
}

export type Acceptance =
  /** `fresh` is false if the same key and body were accepted before. */
  | { kind: 'accepted'; jobs: AcceptedJob[]; fresh: boolean }
  /** The key was used with another body. */
  | { kind: 'key_conflict' }
  /** Nothing was stored. */
  | { kind: 'limit_reached'; reached: LimitReached };

/**
 * Stores the jobs of many submissions and their `job.created` events in one statement, so that
 * requests that arrive together share one commit. One answer per submission, in order.
 *
 * The same statement takes an idempotency key: its row and its jobs are stored together or not at
 * all, and of two requests with one key the second waits for the commit of the first. It also
 * refuses what exceeds a limit; the statement of callers without limits has no part for that.
 */
export async function acceptJobs(sql: Sql, submissions: Submission[]): Promise<Acceptance[]> {
  const withIds = submissions.map((submission) => ({
    ...submission,
    ids: submission.specs.map(() => uuidv7()),
  }));
  const places = placesOf(submissions);
  const jobs = withIds.flatMap((submission, at) =>
    submission.specs.map((spec, index) => ({
      id: submission.ids[index] ?? '',
      user_id: submission.userId,
      key_id: submission.keyId ?? null,
      place: places[at] ?? 0,
      keyed: submission.idempotency !== undefined,
      priority: spec.priority ?? DEFAULT_PRIORITY,
      max_attempts: spec.max_attempts ?? DEFAULT_MAX_ATTEMPTS,
      run_at: spec.run_at ?? null,
      correlation_id: submission.correlationId,
      spec: shownSpec(spec),
      secrets: sealedSecrets(sql, submission.ids[index] ?? '', spec),
    })),
  );
  const keys = withIds.flatMap((submission) =>
    submission.idempotency
      ? [
          {
            user_id: submission.userId,
            key: submission.idempotency.key,
            body_hash: submission.idempotency.bodyHash,
            job_ids: submission.ids,
          },
        ]
      : [],
  );
  const callers = limitedCallers(submissions);
  const values = [JSON.stringify(jobs), JSON.stringify(keys)];
  const rows =
    callers.length === 0
      ? await sql.query<AcceptedRow>(INSERT_JOBS, values)
      : await sql.query<AcceptedRow>(INSERT_JOBS_WITHIN_LIMITS, [...values, JSON.stringify(callers)]);
  const byId = new Map(rows.map((row) => [row.id, row]));

  return Promise.all(
    withIds.map(async (submission): Promise<Acceptance> => {
      const found = submission.ids.flatMap((id) => byId.get(id) ?? []);
      const stored = found.filter(({ limit }) => limit === null);
      if (stored.length > 0) return { kind: 'accepted', jobs: stored.map(toAccepted), fresh: true };
      // A repeated request gets its first answer, whatever has been used since.
      const again = submission.idempotency && (await answerAgain(sql, submission));
      if (again) return again;
      const [refused] = found;
      if (!refused) throw new Error('insert_jobs neither stored nor refused a submission');
      return { kind: 'limit_reached', reached: toReached(refused) };
    }),
  );
}

/**
 * Callers with a limit that a submission can reach, once each: however many submissions share the
 * statement, what they have used is summed up once.
 */
function limitedCallers(submissions: Submission[]) {
  const callers = new Map<string, object>();
  for (const { userId, keyId, limits = {}, keyLimits = {} } of submissions) {
    if (keyId === undefined) continue;
    const own = SUBMISSION_LIMITS.filter((name) => limits[name] != null);
    if (own.length === 0 && keyLimits.pages_per_day == null && keyLimits.pages_per_month == null) continue;
    callers.set(keyId, {
      user_id: userId,
      key_id: keyId,
      limits: Object.fromEntries(own.map((name) => [name, limits[name]])),
      key_limits: keyLimits,
    });
  }
  return [...callers.values()];
}

const SUBMISSION_LIMITS = [
  'max_waiting_jobs',
  'pages_per_day',
  'pages_per_month',
  'stored_bytes',
] as const satisfies LimitName[];

/** For each submission, the jobs of its user in this statement up to and including its own. */
function placesOf(submissions: Submission[]): number[] {
  const perUser = new Map<string, number>();
  return submissions.map(({ userId, specs }) => {
    const place = (perUser.get(userId) ?? 0) + specs.length;
    perUser.set(userId, place);
    return place;
  });
}

/** As Postgres reads bytea; null if the job has no secrets. */
function sealedSecrets(sql: Sql, id: string, spec: JobSpec): string | null {
  const secrets = secretsOf(spec);
  return secrets && `\\x${sql.secrets.seal(JSON.stringify(secrets), place.job(id)).toString('hex')}`;
}

/** The first answer to this key, or a conflict if the body differs; null if the key is not taken. */
async function answerAgain(sql: Sql, { userId, idempotency }: Submission): Promise<Acceptance | null> {
  const rows = await sql.query<FirstAnswerRow>(FIND_FIRST_ANSWER, [userId, idempotency?.key]);
  const [first] = rows;
  if (!first) return null;
  if (first.body_hash !== idempotency?.bodyHash) return { kind: 'key_conflict' };
  return { kind: 'accepted', jobs: rows.map(toAccepted), fresh: false };
}

type FirstAnswerRow = Pick<AcceptedRow, 'id' | 'status' | 'created_at' | 'max_running_jobs'> & {
  body_hash: string;
};

interface AcceptedRow {
  id: string;
  status: JobStatus;
  created_at: Date;
  /** Null if the job was accepted; else the rest is about this limit. */
  limit: LimitName | null;
  scope: LimitReached['scope'];
  used: number;
  limit_value: number;
  free_at: Date | null;
  max_running_jobs: number | null;
}

const toReached = ({ limit, scope, used, limit_value, free_at }: AcceptedRow): LimitReached => {
  if (limit === null) throw new Error('the job was accepted');
  return { limit, scope, used, limitValue: limit_value, freeAt: free_at };
};

const toAccepted = (
  row: Pick<AcceptedRow, 'id' | 'status' | 'created_at' | 'max_running_jobs'>,
): AcceptedJob => ({
  id: row.id,
  status: row.status,
  createdAt: row.created_at,
  runningLimit: row.max_running_jobs,
});

/**
 * One JSON parameter instead of one array per column: a third of the client's time at 100 rows.
 *
 * @param limits CTEs `refused (id, …)` of jobs over a limit, with their answer; undefined: none is
 */
const insertJobs = (limits?: { ctes: string; answer: string }): string => `
  WITH ${limits ? `${limits.ctes}, ` : ''}keyed AS (
    INSERT INTO idempotency_keys (user_id, key, body_hash, job_ids)
    SELECT user_id, key, body_hash, job_ids
    FROM json_to_recordset($2::json) AS k (user_id uuid, key text, body_hash text, job_ids uuid[])
    ${limits ? 'WHERE job_ids[1] NOT IN (SELECT id FROM refused)' : ''}
    ORDER BY user_id, key -- two processes that store the same keys must not wait for each other
    ON CONFLICT DO NOTHING
    RETURNING job_ids
  ), accepted AS (
    INSERT INTO jobs (id, user_id, key_id, status, priority, max_attempts, spec, secrets, correlation_id, run_at)
    SELECT id, user_id, key_id, CASE WHEN run_at > now() THEN 'scheduled' ELSE 'queued' END, priority, max_attempts, spec,
           secrets, correlation_id, coalesce(run_at, now())
    FROM json_to_recordset($1::json) AS j (id uuid, user_id uuid, key_id uuid, keyed boolean, priority smallint,
                                           max_attempts integer, run_at timestamptz, correlation_id text, spec json,
                                           secrets bytea)
    WHERE (NOT keyed OR id IN (SELECT unnest(job_ids) FROM keyed))
    ${limits ? 'AND id NOT IN (SELECT id FROM refused)' : ''}
    RETURNING id, user_id, status, priority, correlation_id, created_at
  ), event AS (${insertEvents({
    ...{ from: 'accepted', type: "'job.created'", jobId: 'id' },
    data: "json_build_object('job_id', id, 'status', status, 'attempt', 0, 'priority', priority)",
  })}), turns_changed AS (${changeTurns({ from: "accepted WHERE status = 'queued'", delayMs: FRESH_MS })})
  SELECT id, status, created_at, NULL AS limit, NULL AS scope, NULL::float8 AS used, NULL::float8 AS limit_value,
         NULL::timestamptz AS free_at, (SELECT running_limit(u) FROM users u WHERE u.id = accepted.user_id) AS max_running_jobs
  FROM accepted ${limits ? limits.answer : ''}
  `;

const INSERT_JOBS = statement('insert_jobs', insertJobs());

/**
 * Pages and bytes are refused when nothing is left: how many a job will take is not known. Waiting
 * jobs are counted up to the limit only. Statements that run at the same moment do not see each
 * other's jobs, so a user may exceed that one by as much.
 */
const INSERT_JOBS_WITHIN_LIMITS = statement(
  'insert_jobs_within_limits',
  insertJobs({
    ctes: `callers AS MATERIALIZED (
    SELECT user_id, key_id, limits, key_limits FROM json_to_recordset($3::json) AS c (user_id uuid, key_id uuid, limits jsonb, key_limits jsonb)
  ), owners AS (
    SELECT c.user_id, o.owner_id, o.scope, o.limits, c.key_id
    FROM callers c, LATERAL (VALUES (c.user_id, 'user', c.limits), (c.key_id, 'key', c.key_limits)) AS o (owner_id, scope, limits)
  ), waiting AS MATERIALIZED (
    SELECT c.key_id, (c.limits->>'max_waiting_jobs')::bigint AS value, (
             SELECT count(*) FROM (SELECT FROM jobs j WHERE j.user_id = c.user_id AND j.status IN ('scheduled', 'queued', 'retrying')
                                   LIMIT (c.limits->>'max_waiting_jobs')::bigint) AS found) AS used
    FROM callers c WHERE c.limits->>'max_waiting_jobs' IS NOT NULL
  ), exhausted AS MATERIALIZED (
    SELECT DISTINCT ON (key_id) key_id, scope, name, used, value, free_at
    FROM (${QUOTAS_OF('owners', 'o.key_id')}) AS q
    WHERE used >= value ORDER BY key_id, free_at DESC NULLS FIRST
  ), refused AS MATERIALIZED (
    SELECT j.id, coalesce(e.name, 'max_waiting_jobs') AS name, coalesce(e.scope, 'user') AS scope, coalesce(e.used, w.used) AS used,
           coalesce(e.value, w.value) AS value, e.free_at
    FROM json_to_recordset($1::json) AS j (id uuid, key_id uuid, place int)
    LEFT JOIN exhausted e ON e.key_id = j.key_id LEFT JOIN waiting w ON w.key_id = j.key_id
    WHERE e.key_id IS NOT NULL OR w.used + j.place > w.value
  )`,
    answer: `
  UNION ALL
  SELECT id, NULL, NULL, name, scope, used::float8, value::float8, free_at, NULL::int FROM refused`,
  }),
);

/**
 * The first answer shows the jobs as they were when they were accepted, whatever their state is
 * now.
 */
const FIND_FIRST_ANSWER = statement(
  'find_first_answer',
  `
  SELECT k.body_hash, j.id, j.created_at,
         CASE WHEN (j.spec->>'run_at')::timestamptz > j.created_at THEN 'scheduled' ELSE 'queued' END AS status,
         (SELECT running_limit(u) FROM users u WHERE u.id = k.user_id) AS max_running_jobs
  FROM idempotency_keys k, unnest(k.job_ids) WITH ORDINALITY AS place (id, position)
  JOIN jobs j ON j.id = place.id
  WHERE k.user_id = $1 AND k.key = $2
  ORDER BY place.position
  `,
);
