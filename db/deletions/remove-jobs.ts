import type { Database, Sql } from '../connect.ts';
import { insertEvents } from '../insert-events.ts';
import { LOCK_FAN_OUT_OUT } from '../notifications/fan-out-lock.ts';
import { type Statement, statement } from '../statement.ts';
import { countGone } from './deletions.ts';
import { removeJobEvents } from './remove-events.ts';

/**
 * Removes the marked jobs of a deletion, in parts: what a job has many of first, a bounded number
 * per statement, so that no transaction is long (an open one holds up the ledger), then the jobs
 * themselves. It may end anywhere and continues there.
 *
 * @param goesOn asked between two statements
 * @returns `more` if it was stopped or a further batch may exist, `waiting` if all that are left
 *   ended a moment ago, `none` if no job is left
 */
export async function removeMarkedJobs(
  database: Database,
  deletionId: string,
  { queues, goesOn }: { queues: readonly string[]; goesOn: () => boolean },
): Promise<'more' | 'waiting' | 'none'> {
  const rows = await database.query<{ id: string; settled: boolean }>(LIST_MARKED, [
    deletionId,
    JOBS_AT_ONCE,
  ]);
  const ids = rows.filter(({ settled }) => settled).map(({ id }) => id);
  if (ids.length === 0) return rows.length > 0 ? 'waiting' : 'none';
  const parts: ((limit: number) => Promise<number>)[] = [
    // First: it takes a job out of the statistics by host, which depend on its pages.
    (limit) => removeJobEvents(database, deletionId, ids, limit),
    ...PARTS.map((part) => (limit: number) => removePart(database, part, deletionId, ids, limit)),
  ];
  for (const [index, part] of parts.entries()) {
    const limit = index === PAGES_PART ? PAGES_AT_ONCE : ROWS_AT_ONCE;
    for (;;) {
      if (!goesOn()) return 'more';
      if ((await part(limit)) < limit) break;
    }
  }
  await database.transaction((sql) => removeRest(sql, deletionId, ids, queues));
  return 'more';
}

const JOBS_AT_ONCE = 100;
const ROWS_AT_ONCE = 1000;
/** A page may be megabytes, with as many in its pictures. */
const PAGES_AT_ONCE = 100;

/**
 * `settled`: its last events are published and counted, or it ended long enough ago. Their readers
 * are a moment behind; without this, the statistics of a job that is deleted as soon as it ends
 * would depend on who is first.
 */
const LIST_MARKED = statement(
  'list_marked_jobs',
  `
  SELECT j.id, j.finished_at < now() - interval '5 s' OR NOT EXISTS (
           SELECT FROM event_cursors c, LATERAL (
             SELECT FROM events e WHERE e.job_id = j.id AND (e.xid, e.seq) > (c.xid, c.seq) OFFSET 0) AS e
           WHERE c.reader IN ('relay', 'statistics')) AS settled
  FROM jobs j WHERE j.deletion_id = $1 ORDER BY j.id LIMIT $2
  `,
);

/** A table of rows of jobs: what it is called in the counts, and its key beside the job. */
const part = (kind: string, table: string, key: string): Statement =>
  statement(
    `remove_${table}_of_jobs`,
    `
    WITH chosen AS MATERIALIZED (
      SELECT p.job_id, p.key FROM unnest($2::uuid[]) AS i (id),
      LATERAL (SELECT t.job_id, t.${key} AS key FROM ${table} t WHERE t.job_id = i.id LIMIT $3) AS p LIMIT $3
    ), gone AS (
      DELETE FROM ${table} t USING chosen c WHERE t.job_id = c.job_id AND t.${key} = c.key RETURNING 1
    ), ${countGone(kind)}
    SELECT count(*)::int AS count FROM gone
    `,
  );

/** Of a page all artifacts go at once: they are few. */
const REMOVE_ARTIFACTS = part('artifacts', 'artifacts', 'position');
const REMOVE_NOTIFICATIONS = part('notifications', 'notifications', 'id');
/** By user too: that is the index. Their attempts and dead letters go with them. */
const REMOVE_DELIVERIES = statement(
  'remove_deliveries_of_jobs',
  `
  WITH chosen AS MATERIALIZED (
    SELECT p.id FROM unnest($2::uuid[]) AS i (id), LATERAL (SELECT user_id FROM jobs WHERE id = i.id OFFSET 0) AS j,
    LATERAL (SELECT d.id FROM deliveries d WHERE d.user_id = j.user_id AND d.job_id = i.id LIMIT $3) AS p LIMIT $3
  ), gone AS (
    DELETE FROM deliveries d USING chosen c WHERE d.id = c.id RETURNING 1
  ), ${countGone('deliveries')}
  SELECT count(*)::int AS count FROM gone
  `,
);

const PARTS: readonly Statement[] = [
  REMOVE_ARTIFACTS,
  part('pages', 'pages', 'position'),
  part('urls', 'crawl_urls', 'position'),
  part('leads', 'leads', 'key'),
  part('candidates', 'lead_candidates', 'key'),
  REMOVE_NOTIFICATIONS,
  REMOVE_DELIVERIES,
];
/** Events are part 0. */
const PAGES_PART = 2;

async function removePart(
  sql: Sql,
  remove: Statement,
  deletionId: string,
  ids: string[],
  limit: number,
): Promise<number> {
  const [row] = await sql.query<{ count: number }>(remove, [deletionId, ids, limit]);
  return row?.count ?? 0;
}

/**
 * The jobs themselves, and what names them without a reference. One transaction: what refers to a
 * job is removed when nothing can be added any more.
 */
async function removeRest(
  sql: Sql,
  deletionId: string,
  ids: string[],
  queues: readonly string[],
): Promise<void> {
  const values = [deletionId, ids];
  await sql.query(FORGET_KEYS, [ids]);
  await sql.query(FORGET_ANSWERS, [ids]);
  await sql.query(CLOSE_SHARES, values);
  await sql.query(DETACH_LINKS, [ids]);
  await sql.query(MARK_FOLDERS, values);
  // A fan-out that saw one of the jobs has ended when this returns; a later one does not see it.
  await sql.query(LOCK_FAN_OUT_OUT);
  for (const remove of [REMOVE_NOTIFICATIONS, REMOVE_DELIVERIES]) {
    while ((await removePart(sql, remove, deletionId, ids, ROWS_AT_ONCE)) === ROWS_AT_ONCE);
  }
  await sql.query(REMOVE_JOBS, values);
  await sql.query(REMOVE_LATE_EVENTS, values);
  await sql.query(REMOVE_FAILED_MESSAGES, [ids]);
  await sql.query(REMOVE_MESSAGES, [ids, queues]);
}

/** Stored by the statement that stored the jobs: at the same moment. A batch keeps its key while a job of it exists. */
const FORGET_KEYS = statement(
  'forget_keys_of_jobs',
  `
  DELETE FROM idempotency_keys k USING jobs j
  WHERE j.id = ANY ($1::uuid[]) AND j.created_at > now() - interval '2 days'
    AND k.user_id = j.user_id AND k.created_at = j.created_at AND k.job_ids <@ $1::uuid[]
  `,
);

/** Answers that name a job are those to a new link, of the last day. */
const FORGET_ANSWERS = statement(
  'forget_answers_of_jobs',
  `
  DELETE FROM idempotent_answers a USING jobs j
  WHERE j.id = ANY ($1::uuid[]) AND a.user_id = j.user_id AND a.route = '/api/v1/links'
    AND position(j.id::text IN a.answer) > 0
  `,
);

/** Keeps the code until it is pruned: it must not lead to another's results. The event tells the caches. */
const CLOSE_SHARES = statement(
  'close_shares_of_jobs',
  `
  WITH gone AS (
    UPDATE links SET deleted_at = now(), job_id = NULL, lead_id = NULL
    WHERE job_id = ANY ($2::uuid[]) AND share AND deleted_at IS NULL
    RETURNING id, code, user_id
  ), event AS (${insertEvents({
    ...{ from: 'gone', type: "'link.deleted'", jobId: 'NULL', correlationId: '$1::uuid::text' },
    data: "json_build_object('link_id', id, 'code', code, 'url', '')",
  })}), ${countGone('shares')}
  SELECT id FROM gone
  `,
);

/** A link to elsewhere is its user's, not the job's: it works on. */
const DETACH_LINKS = statement(
  'detach_links_of_jobs',
  `
  UPDATE links SET job_id = NULL, lead_id = NULL
  WHERE job_id = ANY ($1::uuid[]) AND NOT share AND deleted_at IS NULL
  `,
);

/**
 * A worker learns of a cancel within a second, and may be writing a picture then: the folder of a
 * job that ran in the last hour is emptied twice.
 */
const MARK_FOLDERS = statement(
  'mark_folders_of_jobs',
  `
  UPDATE artifact_folders f
  SET deletion_id = $1, empty_again_at = CASE WHEN j.finished_at > now() - interval '1 hour' THEN now() + interval '1 hour' END
  FROM jobs j WHERE j.id = ANY ($2::uuid[]) AND f.job_id = j.id
  `,
);

const REMOVE_JOBS = statement(
  'remove_jobs',
  `
  WITH gone AS (
    DELETE FROM jobs WHERE id = ANY ($2::uuid[]) RETURNING id
  ), remembered AS (
    INSERT INTO deleted_jobs (id) SELECT id FROM gone ON CONFLICT DO NOTHING
  ), ${countGone('jobs')}
  SELECT id FROM gone
  `,
);

/** Those of notifications that were sent meanwhile. */
const REMOVE_LATE_EVENTS = statement(
  'remove_late_events_of_jobs',
  `
  WITH gone AS (DELETE FROM events WHERE job_id = ANY ($2::uuid[]) RETURNING 1), ${countGone('events')}
  SELECT count(*) FROM gone
  `,
);

const JOB_OF_MESSAGE = `substring(body FROM '"job_id":"([0-9a-f-]{36})"')`;

/** Of the embedded queue, as the next one; with RabbitMQ it is empty. */
const REMOVE_FAILED_MESSAGES = statement(
  'remove_failed_messages_of_jobs',
  `DELETE FROM queue.messages WHERE queue = 'failed_jobs' AND ${JOB_OF_MESSAGE} = ANY ($1::text[])`,
);

/** Without an index: these queues are short. What waits further behind is dropped by its consumer. */
const REMOVE_MESSAGES = statement(
  'remove_messages_of_jobs',
  `
  DELETE FROM queue.messages WHERE holder IS NULL AND id = ANY (ARRAY(
    SELECT m.id FROM unnest($2::text[]) AS q (name),
    LATERAL (SELECT id, body FROM queue.messages WHERE queue = q.name AND holder IS NULL ORDER BY id LIMIT 5000) AS m
    WHERE ${JOB_OF_MESSAGE} = ANY ($1::text[])))
  `,
);
