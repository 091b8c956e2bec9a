import type { ErrorInfo } from '../../../core/errors.ts';
import type { DeliveryStatus } from '../../../core/notifications/delivery.ts';
import type { SentChannel } from '../../../core/notifications/notification.ts';
import type { Sql } from '../../connect.ts';
import { type KeysetCursor, keyset, keysetValues, pageOf } from '../../keyset.ts';
import { statement } from '../../statement.ts';

/** A delivery as the endpoint's owner sees it. */
export interface Delivery {
  /** Also the message's `webhook-id`. */
  id: string;
  event_id: string;
  type: string;
  job_id: string | null;
  status: DeliveryStatus;
  error: ErrorInfo | null;
  created_at: Date;
  due_at: Date;
  finished_at: Date | null;
  /** Oldest first. */
  attempts: DeliveryAttempt[];
}

export interface DeliveryAttempt {
  finished_at: Date;
  duration_ms: number;
  /** The answer; null if there was none. */
  status: number | null;
  /** The first kilobyte of the answer. */
  response: string | null;
  error: ErrorInfo | null;
}

/** Of one endpoint, newest first. */
export async function listWebhookDeliveries(
  sql: Sql,
  webhookId: string,
  page: { status: DeliveryStatus | undefined; limit: number; after: KeysetCursor | null },
): Promise<{ deliveries: Delivery[]; next: KeysetCursor | null }> {
  const isOfUndelivered = page.status !== undefined && page.status !== 'delivered';
  const rows = await sql.query<DeliveryRow>(isOfUndelivered ? LIST_UNDELIVERED : LIST_WEBHOOK_DELIVERIES, [
    webhookId,
    page.status ?? null,
    ...keysetValues(page.after),
    page.limit + 1,
  ]);
  const { items, next } = pageOf(rows, page.limit, toDelivery);
  return { deliveries: items, next };
}

/**
 * Sends one again, now and with a full set of attempts, under the same id. Null if it is unknown or
 * still in progress.
 */
export async function redeliver(sql: Sql, webhookId: string, id: string): Promise<Delivery | null> {
  const [row] = await sql.query<{ id: string }>(REDELIVER, [webhookId, id]);
  if (!row) return null;
  const [delivery] = await sql.query<DeliveryRow>(FIND_WEBHOOK_DELIVERY, [webhookId, id]);
  return delivery ? toDelivery(delivery) : null;
}

/** Whether the endpoint has such a delivery, whatever its state. */
export async function hasDelivery(sql: Sql, webhookId: string, id: string): Promise<boolean> {
  return (await sql.query(FIND_WEBHOOK_DELIVERY, [webhookId, id])).length > 0;
}

/**
 * Number of deliveries that wait or are being sent, by channel; a channel without any is absent.
 */
export const countOpenDeliveries = (sql: Sql): Promise<{ channel: SentChannel; count: number }[]> =>
  sql.query(COUNT_OPEN_DELIVERIES);

const COUNT_OPEN_DELIVERIES = statement(
  'count_open_deliveries',
  `
  SELECT channel, count(*)::int AS count FROM (
    SELECT channel FROM deliveries WHERE status = 'queued' AND dispatched_at IS NULL
    UNION ALL SELECT channel FROM deliveries WHERE status = 'queued' AND dispatched_at IS NOT NULL
    UNION ALL SELECT channel FROM deliveries WHERE status = 'sending') AS open
  GROUP BY channel
  `,
);

interface DeliveryRow {
  id: string;
  event_id: string;
  type: string;
  job_id: string | null;
  status: DeliveryStatus;
  error_code: string | null;
  error_message: string | null;
  created_at: Date;
  due_at: Date;
  finished_at: Date | null;
  attempts: DeliveryAttempt[];
  cursor: string;
}

const toDelivery = ({
  cursor: _cursor,
  error_code,
  error_message,
  attempts,
  ...row
}: DeliveryRow): Delivery => ({
  ...row,
  error: error_code === null ? null : { code: error_code, message: error_message ?? '' },
  attempts,
});

const NEWEST = keyset('d.created_at', 'd.id');

const COLUMNS = `
  d.id, d.event_id, d.type, d.job_id, d.status, d.error_code, d.error_message, d.created_at, d.due_at, d.finished_at,
  ${NEWEST.column},
  (SELECT coalesce(json_agg(json_build_object('finished_at', a.finished_at, 'duration_ms', a.duration_ms, 'status', a.status_code,
            'response', a.response, 'error', CASE WHEN a.error_code IS NOT NULL
              THEN json_build_object('code', a.error_code, 'message', a.error_message) END) ORDER BY a.finished_at), '[]')
   FROM delivery_attempts a WHERE a.delivery_id = d.id) AS attempts`;

const listWhere = (condition: string) => `
  SELECT ${COLUMNS} FROM deliveries d
  WHERE d.webhook_id = $1 AND ${condition} AND ${NEWEST.behind('$3', '$4')}
  ORDER BY ${NEWEST.order} LIMIT $5
`;
const LIST_WEBHOOK_DELIVERIES = statement(
  'list_webhook_deliveries',
  listWhere('($2::text IS NULL OR d.status = $2)'),
);
/** Repeats the condition of the partial index, which a parameter cannot. */
const LIST_UNDELIVERED = statement(
  'list_undelivered',
  listWhere("d.status = $2 AND d.status <> 'delivered'"),
);

const FIND_WEBHOOK_DELIVERY = statement(
  'find_webhook_delivery',
  `SELECT ${COLUMNS} FROM deliveries d WHERE d.webhook_id = $1 AND d.id = $2`,
);

/** Queues those of `chosen (id)` again with a full set of attempts; closes their dead letters. */
export const REQUEUE_DELIVERIES = `
  sent AS (
    UPDATE deliveries d
    SET status = 'queued', attempt_offset = d.attempt, due_at = now(), queued_at = now(), dispatched_at = NULL,
        finished_at = NULL, mail_id = NULL, error_code = NULL, error_message = NULL
    FROM chosen WHERE d.id = chosen.id AND d.status IN ('delivered', 'failed')
    RETURNING d.id
  ), resolved AS (
    UPDATE dead_letters l SET resolved_at = now(), resolution = 'requeued'
    FROM sent WHERE l.delivery_id = sent.id AND l.resolved_at IS NULL
  )`;

const REDELIVER = statement(
  'redeliver',
  `
  WITH chosen AS (SELECT id FROM deliveries WHERE webhook_id = $1 AND id = $2),
  ${REQUEUE_DELIVERIES} SELECT id FROM sent
  `,
);
