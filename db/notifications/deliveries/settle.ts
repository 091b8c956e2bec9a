import type { DeliveryTransition } from '../../../core/notifications/delivery.ts';
import type { Database, Sql } from '../../connect.ts';
import { insertEvents } from '../../insert-events.ts';
import { statement } from '../../statement.ts';

export interface DeliverySettlement {
  /** One, or all of one mail. */
  ids: string[];
  holder: string;
  transition: DeliveryTransition;
  durationMs: number;
}

export interface PauseRule {
  /** An endpoint without a successful delivery for this long is paused. */
  pauseAfterMs: number;
  /** Whether its owner can be notified by e-mail. */
  mail: boolean;
}

/**
 * Ends attempts as `settleDelivery` decided: state, history, events and dead letters in one
 * transaction. A fence that no longer holds changes nothing. Returns the endpoints that this
 * paused.
 */
export async function settleDeliveries(
  database: Database,
  settlements: DeliverySettlement[],
  rule: PauseRule,
): Promise<{ id: string; url: string }[]> {
  const input = JSON.stringify(settlements.flatMap(rowsOf).sort((a, b) => (a.id < b.id ? -1 : 1)));
  // Only a failure can pause an endpoint; the common case is one statement.
  if (settlements.every(({ transition }) => transition.status === 'delivered')) {
    await database.query(SETTLE_DELIVERIES, [input]);
    return [];
  }
  return database.transaction(async (sql) => {
    const rows = await sql.query<{ webhook_id: string | null; gone: boolean }>(SETTLE_DELIVERIES, [input]);
    const endpoints = rows.filter(({ webhook_id }) => webhook_id !== null);
    return endpoints.length > 0 ? pauseFailing(sql, endpoints, rule) : [];
  });
}

const rowsOf = ({ ids, holder, transition, durationMs }: DeliverySettlement) =>
  ids.map((id) => ({
    id,
    holder,
    status: transition.status,
    delay_ms: transition.delayMs,
    spends: transition.spendsAttempt,
    gone: transition.gone,
    error_code: transition.error?.code ?? null,
    error_message: transition.error ? storable(transition.error.message, 2000) : null,
    receipt_status: transition.receipt?.status ?? null,
    receipt_body: transition.receipt?.body ? storable(transition.receipt.body, 1024) : null,
    duration_ms: Math.round(durationMs),
  }));

const storable = (text: string, length: number): string =>
  text.replaceAll('\0', '\ufffd').toWellFormed().slice(0, length).toWellFormed();

async function pauseFailing(
  sql: Sql,
  endpoints: { webhook_id: string | null; gone: boolean }[],
  rule: PauseRule,
): Promise<{ id: string; url: string }[]> {
  const paused = await sql.query<{ id: string; url: string; user_id: string; reason: string }>(
    PAUSE_FAILING,
    [
      endpoints.map(({ webhook_id }) => webhook_id),
      endpoints.filter(({ gone }) => gone).map(({ webhook_id }) => webhook_id),
      rule.pauseAfterMs,
    ],
  );
  for (const { id, url, user_id, reason } of paused) {
    await sql.query(TELL_OWNER, [user_id, JSON.stringify({ webhook_id: id, url, reason }), rule.mail]);
  }
  return paused.map(({ id, url }) => ({ id, url }));
}

/** The consequences for rows of `ended`: their dead letters and their events. */
const DEAD_LETTERS_AND_EVENTS = `
  dead_lettered AS (
    INSERT INTO dead_letters (user_id, delivery_id, queue, code, message)
    SELECT user_id, id, channel || '_notifications', coalesce(error_code, ''), coalesce(error_message, '')
    FROM ended WHERE status = 'failed'
  ), event AS (${insertEvents({
    ...{ from: "ended WHERE status IN ('delivered', 'failed')", type: "'notification.' || status" },
    data: `json_build_object(
             'notification_id', id, 'channel', channel, 'event_id', event_id, 'event_type', type, 'job_id', job_id,
             'webhook_id', webhook_id, 'attempt', attempt - attempt_offset,
             'error', CASE WHEN status = 'failed' THEN json_build_object('code', error_code, 'message', error_message) END)`,
  })})`;

const SETTLE_DELIVERIES = statement(
  'settle_deliveries',
  `
  WITH input AS MATERIALIZED (
    SELECT * FROM json_to_recordset($1::json) AS s (
      id uuid, holder text, status text, delay_ms float8, spends boolean, gone boolean, error_code text, error_message text,
      receipt_status int, receipt_body text, duration_ms int)
  ), settled AS (
    UPDATE deliveries d
    SET status = s.status, attempt = d.attempt - CASE WHEN s.spends THEN 0 ELSE 1 END,
        -- A mail that was never tried is composed again: more items may have arrived.
        mail_id = CASE WHEN s.spends THEN d.mail_id END,
        due_at = now() + s.delay_ms * interval '1 ms', dispatched_at = NULL, lease_until = NULL, holder = NULL,
        finished_at = CASE WHEN s.status <> 'queued' THEN now() END,
        error_code = s.error_code, error_message = s.error_message
    FROM input s
    WHERE d.id = s.id AND d.holder = s.holder AND d.status = 'sending'
    RETURNING d.*, s.spends, s.gone, s.receipt_status, s.receipt_body, s.duration_ms
  ), ended AS (
    SELECT * FROM settled WHERE status <> 'queued'
  ), history AS (
    INSERT INTO delivery_attempts (delivery_id, duration_ms, status_code, response, error_code, error_message)
    SELECT id, duration_ms, receipt_status, receipt_body, error_code, error_message FROM settled WHERE spends
  ), paced AS (
    INSERT INTO email_throttle (user_id, address, sent_at)
    SELECT DISTINCT user_id, target, now() FROM settled WHERE channel = 'email' AND status = 'delivered'
    ON CONFLICT (user_id, address) DO UPDATE SET sent_at = excluded.sent_at
  ), healthy AS (
    UPDATE webhooks SET failing_since = NULL
    WHERE id IN (SELECT webhook_id FROM settled WHERE status = 'delivered') AND failing_since IS NOT NULL
  ), failing AS (
    UPDATE webhooks SET failing_since = now()
    WHERE id IN (SELECT webhook_id FROM settled WHERE spends AND status <> 'delivered') AND failing_since IS NULL
      AND id NOT IN (SELECT webhook_id FROM settled WHERE status = 'delivered' AND webhook_id IS NOT NULL)
  ), expired AS (
    -- The browser's subscription is gone: subscribing again makes a new one.
    DELETE FROM subscriptions s USING settled d WHERE d.gone AND d.channel = 'push' AND s.channel = 'push'
      AND s.user_id = d.user_id AND md5(s.target) = md5(d.target)
  ), ${DEAD_LETTERS_AND_EVENTS}
  SELECT webhook_id, gone FROM settled WHERE status <> 'delivered'
  `,
);

/**
 * Deliveries that wait for a paused endpoint fail with it, so that nothing arrives unexpectedly
 * days later; each can be redelivered.
 */
const PAUSE_FAILING = statement(
  'pause_failing_webhooks',
  `
  WITH paused AS (
    UPDATE webhooks
    SET paused_at = now(), paused_reason = CASE WHEN id = ANY ($2::uuid[]) THEN 'gone' ELSE 'failing' END
    WHERE id = ANY ($1::uuid[]) AND paused_at IS NULL
      AND (id = ANY ($2::uuid[]) OR failing_since <= now() - $3::float8 * interval '1 ms')
    RETURNING id, url, user_id, paused_reason
  ), ended AS (
    UPDATE deliveries d
    SET status = 'failed', finished_at = now(), dispatched_at = NULL, error_code = 'endpoint_paused',
        error_message = 'the endpoint was paused'
    FROM paused p WHERE d.webhook_id = p.id AND d.status = 'queued' AND d.status <> 'delivered'
    RETURNING d.*
  ), ${DEAD_LETTERS_AND_EVENTS}
  SELECT id, url, user_id, paused_reason AS reason FROM paused
  `,
);

const TELL_OWNER = statement(
  'tell_owner_of_pause',
  `
  WITH notice AS (
    INSERT INTO notifications (user_id, event_id, type, urgent, data, occurred_at)
    VALUES ($1, gen_random_uuid(), 'webhook.paused', true, $2, now())
    RETURNING event_id
  )
  INSERT INTO deliveries (event_id, user_id, channel, target, type, urgent, correlation_id, data, occurred_at)
  SELECT n.event_id, u.id, 'email', u.email, 'webhook.paused', true, n.event_id::text, $2, now()
  FROM notice n JOIN users u ON u.id = $1 AND $3::boolean AND u.email <> 'admin@localhost'
  `,
);

/** How many times a notifier may be lost while it holds the same delivery. */
const MOST_LOSSES = 20;

/**
 * Requeues the deliveries of lost notifiers; returns how many. The attempt counts: it may have
 * arrived.
 */
export async function releaseExpiredDeliveries(sql: Sql, limit: number): Promise<number> {
  const rows = await sql.query(RELEASE_EXPIRED, [limit, MOST_LOSSES]);
  return rows.length;
}

const RELEASE_EXPIRED = statement(
  'release_expired_deliveries',
  `
  WITH lost AS (
    SELECT id FROM deliveries WHERE status = 'sending' AND lease_until < now()
    ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED
  ), released AS (
    UPDATE deliveries d
    SET status = CASE WHEN d.attempt - d.attempt_offset >= $2 THEN 'failed' ELSE 'queued' END,
        finished_at = CASE WHEN d.attempt - d.attempt_offset >= $2 THEN now() END,
        due_at = now(), dispatched_at = NULL, lease_until = NULL, holder = NULL, error_code = 'notifier_lost',
        error_message = 'the notifier that sent it was lost'
    FROM lost WHERE d.id = lost.id
    RETURNING d.*
  ), ended AS (
    SELECT * FROM released WHERE status = 'failed'
  ), ${DEAD_LETTERS_AND_EVENTS}
  SELECT id FROM released
  `,
);
