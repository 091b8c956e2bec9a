import { endsJob } from '../../core/events/events.ts';
import type { JobSecrets } from '../../core/jobs/job-secrets.ts';
import { isOwnAction, isUrgent, patternsFor } from '../../core/notifications/notification.ts';
import { unlessUnreadable } from '../../runtime/secrets/secret-box.ts';
import { type Database, isDatabaseUnavailable, isSerializationFailure, type Sql } from '../connect.ts';
import { insertEvents } from '../insert-events.ts';
import { place } from '../secrets/places.ts';
import { statement } from '../statement.ts';
import { LOCK_FAN_OUT_IN } from './fan-out-lock.ts';
import { ensureWebhook, receiverOf } from './webhooks.ts';

/** An event that can be notified: from its message, or straight from the ledger. */
export interface NotifiableEvent {
  id: string;
  type: string;
  user_id: string;
  job_id: string | null;
  correlation_id: string;
  /** ISO 8601. */
  occurred_at: string;
  data: Record<string, unknown>;
}

export interface MailPace {
  /** How long a mail waits for others to go with it. */
  gatherMs: number;
  /** Minimum time between two mails to an address. */
  apartMs: number;
  /** The same, for urgent mails. */
  urgentApartMs: number;
}

export interface FannedOut {
  inApp: number;
  deliveries: number;
  /** Events that the database rejects, whatever the reason; no user was notified of them. */
  refused: { id: string; error: unknown }[];
}

/**
 * Finds the subscriptions that match these events, stores the in-app notifications and queues one
 * delivery per channel and target, in one transaction. Idempotent, so every event may come twice,
 * or by two ways at once.
 *
 * @throws only if the same may succeed later; an event that cannot be notified does not hold up the
 * others
 */
export async function fanOut(
  database: Database,
  events: NotifiableEvent[],
  pace: MailPace,
): Promise<FannedOut> {
  if (events.length === 0) return { inApp: 0, deliveries: 0, refused: [] };
  try {
    return await fanOutTogether(database, events, pace);
  } catch (error) {
    if (isDatabaseUnavailable(error) || isSerializationFailure(error)) throw error;
    const [only, ...others] = events;
    if (only && others.length === 0) return { inApp: 0, deliveries: 0, refused: [{ id: only.id, error }] };
    const each: FannedOut[] = [];
    for (const event of events) each.push(await fanOut(database, [event], pace));
    return {
      inApp: each.reduce((sum, result) => sum + result.inApp, 0),
      deliveries: each.reduce((sum, result) => sum + result.deliveries, 0),
      refused: each.flatMap(({ refused }) => refused),
    };
  }
}

async function fanOutTogether(
  database: Database,
  events: NotifiableEvent[],
  pace: MailPace,
): Promise<FannedOut> {
  // Sorted: two processes that fan out the same events must not deadlock.
  const input = JSON.stringify(events.map(forMatching).sort((a, b) => (a.id < b.id ? -1 : 1)));
  const [result] = await database.transaction(async (sql) => {
    await sql.query(LOCK_FAN_OUT_IN);
    await ensureWebhooks(sql, input);
    const values = [input, pace.gatherMs, pace.apartMs, pace.urgentApartMs];
    return sql.query<{ in_app: number; deliveries: number }>(FAN_OUT, values);
  });
  return { inApp: result?.in_app ?? 0, deliveries: result?.deliveries ?? 0, refused: [] };
}

/**
 * Before the fan-out and not in it: only a statement that begins later sees what another process
 * committed a moment ago.
 */
async function ensureWebhooks(sql: Sql, events: string): Promise<void> {
  const found = await sql.query<JobWebhook>(LIST_JOB_WEBHOOKS, [events]);
  // In the order of what they lock, so that two processes do not deadlock.
  const lockKey = ({ user_id, url }: JobWebhook) => `${user_id} ${receiverOf(url)}`;
  for (const job of found.sort((a, b) => (lockKey(a) < lockKey(b) ? -1 : 1))) {
    const authorization = job.secrets ? webhookLoginOf(sql, job.job_id, job.secrets) : undefined;
    if (job.known && authorization === undefined) continue;
    const { user_id: userId, url } = job;
    await ensureWebhook(sql, { userId, url, description: 'webhook_url of a job', authorization });
  }
}

interface JobWebhook {
  user_id: string;
  url: string;
  job_id: string;
  secrets: Buffer | null;
  known: boolean;
}

/** A job whose secrets cannot be read is notified without them. */
function webhookLoginOf(sql: Sql, jobId: string, sealed: Buffer): string | undefined {
  const secrets = unlessUnreadable(() => sql.secrets.open(sealed, place.job(jobId)));
  return secrets === null ? undefined : (JSON.parse(secrets) as JobSecrets).webhook?.authorization;
}

/**
 * Of these events, the ids of those that may match a subscription. False positives are allowed,
 * false negatives are not.
 *
 * Every event of every job passes here. Queried by user and matched in this process it costs a
 * tenth of querying Postgres per event (500 events took 16 ms).
 */
export async function listWanted(sql: Sql, events: NotifiableEvent[]): Promise<Set<string>> {
  if (events.length === 0) return new Set();
  const rows = await sql.query<{ user_id: string; patterns: string[] }>(LIST_PATTERNS, [
    [...new Set(events.map(({ user_id }) => user_id))],
  ]);
  const patternsOf = new Map(rows.map(({ user_id, patterns }) => [user_id, patterns]));
  const isSubscribed = ({ type, user_id }: NotifiableEvent) =>
    patternsFor(type).some((pattern) => patternsOf.get(user_id)?.includes(pattern));
  const wanted = new Set(events.filter(isSubscribed).map(({ id }) => id));
  const ends = events.filter(({ id, type, job_id }) => job_id && endsJob(type) && !wanted.has(id));
  if (ends.length === 0) return wanted;
  const jobs = await sql.query<{ id: string }>(LIST_WITH_WEBHOOK, [ends.map(({ job_id }) => job_id)]);
  const withWebhook = new Set(jobs.map(({ id }) => id));
  for (const { id, job_id } of ends) if (withWebhook.has(job_id ?? '')) wanted.add(id);
  return wanted;
}

const forMatching = (event: NotifiableEvent) => ({
  ...event,
  urgent: isUrgent(event.type),
  own: isOwnAction(event.type),
  ends: endsJob(event.type),
  patterns: patternsFor(event.type),
});

const EVENTS = `
  json_to_recordset($1::json) AS e (id uuid, type text, user_id uuid, job_id uuid, correlation_id text, occurred_at timestamptz,
                                    data json, urgent boolean, own boolean, ends boolean, patterns text[])`;

const LIST_PATTERNS = statement(
  'list_subscribed_patterns',
  `
  SELECT s.user_id, array_agg(DISTINCT p.pattern) AS patterns
  FROM subscriptions s, unnest(s.events) AS p (pattern)
  WHERE s.user_id = ANY ($1::uuid[]) AND s.active
  GROUP BY s.user_id
  `,
);

/**
 * Most jobs have no `webhook_url`. Searching for the word costs a tenth of parsing the request; the
 * fan-out checks exactly.
 */
const LIST_WITH_WEBHOOK = statement(
  'list_jobs_with_webhook',
  `SELECT id FROM jobs WHERE id = ANY ($1::uuid[]) AND position('"webhook_url"' IN spec::text) > 0`,
);

/**
 * The `webhook_url`s that have no endpoint yet, or whose job has secrets, perhaps a login of the
 * endpoint; each with its newest job that has some.
 */
const LIST_JOB_WEBHOOKS = statement(
  'list_job_webhooks',
  `
  SELECT DISTINCT ON (e.user_id, j.spec->>'webhook_url') e.user_id, j.spec->>'webhook_url' AS url, j.id AS job_id, j.secrets,
         w.id IS NOT NULL AS known
  FROM ${EVENTS} JOIN jobs j ON j.id = e.job_id
  LEFT JOIN LATERAL (
    SELECT id FROM webhooks WHERE user_id = e.user_id AND md5(url) = md5(j.spec->>'webhook_url') OFFSET 0) AS w ON true
  WHERE e.ends AND position('"webhook_url"' IN j.spec::text) > 0 AND j.spec->>'webhook_url' IS NOT NULL
    AND (w.id IS NULL OR j.secrets IS NOT NULL)
  ORDER BY e.user_id, j.spec->>'webhook_url', j.secrets IS NULL, j.created_at DESC
  `,
);

const MATCHES_FILTER = `
  (s.filter->'min_priority' IS NULL OR j.priority >= (s.filter->>'min_priority')::int)
  AND (s.filter->'job_id' IS NULL OR e.job_id = (s.filter->>'job_id')::uuid)
  AND (s.filter->'error_codes' IS NULL OR s.filter->'error_codes' ? (e.data->'error'->>'code'))
  AND (s.filter->'metadata' IS NULL OR (j.spec->'metadata')::jsonb @> (s.filter->'metadata'))`;

/**
 * Subscriptions and endpoints by user, one event after the other (`OFFSET 0` enforces it): with a
 * join, the planner read those of all users (50 ms at 20,000), or all endpoints by a plan from an
 * empty table.
 */
const FAN_OUT = statement(
  'fan_out',
  `
  WITH matched AS MATERIALIZED (
    SELECT e.id, e.type, e.user_id, e.job_id, e.correlation_id, e.occurred_at, e.urgent, s.channel,
           coalesce(s.webhook_id::text, s.target, '') AS target, s.webhook_id,
           CASE WHEN j.spec->'metadata' IS NULL THEN e.data
                ELSE (e.data::jsonb || jsonb_build_object('metadata', j.spec->'metadata'))::json END AS data
    FROM ${EVENTS}
    JOIN LATERAL (SELECT * FROM subscriptions WHERE user_id = e.user_id AND active OFFSET 0) AS s ON true
    LEFT JOIN jobs j ON j.id = e.job_id
    LEFT JOIN webhooks w ON w.id = s.webhook_id
    WHERE s.events && e.patterns AND s.created_at <= e.occurred_at
      AND (s.channel = 'webhook' OR NOT e.own) AND w.paused_at IS NULL AND ${MATCHES_FILTER}
      -- Not of a deleted job: what it stored would stay.
      AND (e.job_id IS NULL OR j.id IS NOT NULL)
    UNION ALL
    SELECT e.id, e.type, e.user_id, e.job_id, e.correlation_id, e.occurred_at, e.urgent, 'webhook', w.id::text, w.id,
           CASE WHEN j.spec->'metadata' IS NULL THEN e.data
                ELSE (e.data::jsonb || jsonb_build_object('metadata', j.spec->'metadata'))::json END
    FROM ${EVENTS}
    JOIN jobs j ON j.id = e.job_id
    JOIN LATERAL (
      SELECT id, paused_at FROM webhooks WHERE user_id = e.user_id AND md5(url) = md5(j.spec->>'webhook_url') OFFSET 0) AS w ON true
    WHERE e.ends AND position('"webhook_url"' IN j.spec::text) > 0 AND w.paused_at IS NULL
  ), in_app AS (
    INSERT INTO notifications (user_id, event_id, type, urgent, job_id, data, occurred_at)
    SELECT DISTINCT ON (id) user_id, id, type, urgent, job_id, data, occurred_at FROM matched WHERE channel = 'in_app'
    ON CONFLICT (event_id, user_id) DO NOTHING
    RETURNING id, user_id, event_id, type, job_id
  ), event AS (${insertEvents({
    from: 'in_app n JOIN (SELECT DISTINCT id, correlation_id FROM matched) AS m ON m.id = n.event_id',
    type: "'notification.delivered'",
    ...{ userId: 'n.user_id', jobId: 'n.job_id', correlationId: 'm.correlation_id' },
    data: `json_build_object(
             'notification_id', n.id, 'channel', 'in_app', 'event_id', n.event_id, 'event_type', n.type, 'job_id', n.job_id,
             'webhook_id', NULL, 'attempt', 1)`,
  })}), queued AS (
    INSERT INTO deliveries (event_id, user_id, channel, target, webhook_id, type, urgent, job_id, correlation_id, data, occurred_at,
                            due_at)
    SELECT DISTINCT ON (m.id, m.channel, m.target)
           m.id, m.user_id, m.channel, m.target, m.webhook_id, m.type, m.urgent, m.job_id, m.correlation_id, m.data, m.occurred_at,
           CASE WHEN m.channel <> 'email' THEN now()
                ELSE greatest(now() + $2::float8 * interval '1 ms',
                              p.sent_at + CASE WHEN m.urgent THEN $4::float8 ELSE $3::float8 END * interval '1 ms') END
    FROM matched m
    LEFT JOIN email_throttle p ON m.channel = 'email' AND p.user_id = m.user_id AND p.address = m.target
    WHERE m.channel <> 'in_app'
    ON CONFLICT (event_id, channel, md5(target)) DO NOTHING
    RETURNING id
  )
  SELECT (SELECT count(*)::int FROM in_app) AS in_app, (SELECT count(*)::int FROM queued) AS deliveries
  `,
);
