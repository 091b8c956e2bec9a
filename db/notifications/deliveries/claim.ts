import type { SentChannel } from '../../../core/notifications/notification.ts';
import { unlessUnreadable } from '../../../runtime/secrets/secret-box.ts';
import type { Sql } from '../../connect.ts';
import { statement } from '../../statement.ts';
import { openPushTarget, type PushTarget } from '../subscriptions.ts';
import { openWebhookLogin, openWebhookSecret } from '../webhook-secrets.ts';

/** A delivery claimed by a notifier. */
export interface ClaimedDelivery {
  id: string;
  /** The fence of every later write: unique to this claim. */
  holder: string;
  eventId: string;
  userId: string;
  channel: SentChannel;
  target: string;
  type: string;
  urgent: boolean;
  jobId: string | null;
  data: Record<string, unknown>;
  occurredAt: Date;
  /** Attempts since it was queued or redelivered, including this one. */
  attempt: number;
  /** Since it was queued or redelivered. */
  ageMs: number;
  mailId: string | null;
  webhook: ClaimedEndpoint | null;
  /** The browser's subscription; null if it is gone or cannot be decrypted. */
  push: PushTarget | null;
}

export interface ClaimedEndpoint {
  id: string;
  url: string;
  paused: boolean;
  /** The current one first; two during a rotation. Base64. Empty if none can be decrypted. */
  secrets: string[];
  /** Value of the header `Authorization`, if the endpoint wants one. */
  authorization: string | null;
}

export interface DeliveryClaim {
  id: string;
  /** As the message has it: attempts made so far. */
  attempt: number;
}

/**
 * Claims the deliveries of wake-up messages. A delivery that is absent was sent by another
 * notifier, or is not due yet. Batched, because a statement for each is most of our work if the
 * receiver is fast.
 */
export async function claimDeliveries(
  sql: Sql,
  claims: (DeliveryClaim & { holder: string })[],
  leaseMs: number,
): Promise<ClaimedDelivery[]> {
  const rows = await sql.query<SealedDelivery>(CLAIM_DELIVERIES, [
    claims.map(({ id }) => id),
    claims.map(({ attempt }) => attempt),
    claims.map(({ holder }) => holder),
    leaseMs,
  ]);
  return rows.map((row) => opened(sql, row));
}

/** As the database has it: secrets sealed, in base64. */
type SealedDelivery = Omit<ClaimedDelivery, 'webhook' | 'push'> & {
  webhook: (Omit<ClaimedEndpoint, 'authorization'> & { login: string | null; receiverId: string }) | null;
  push: { id: string; secrets: string } | null;
};

function opened(sql: Sql, { webhook, push, ...delivery }: SealedDelivery): ClaimedDelivery {
  return {
    ...delivery,
    webhook: webhook && endpointOf(sql, webhook),
    push: push && openPushTarget(sql, push.id, Buffer.from(push.secrets, 'base64')),
  };
}

function endpointOf(
  sql: Sql,
  { login, receiverId, secrets, ...endpoint }: NonNullable<SealedDelivery['webhook']>,
): ClaimedEndpoint {
  const { id } = endpoint;
  const opened = unlessUnreadable(() => {
    const authorization = login === null ? null : openWebhookLogin(sql, id, Buffer.from(login, 'base64'));
    const open = (sealed: string) => openWebhookSecret(sql, receiverId, Buffer.from(sealed, 'base64'));
    return { authorization, secrets: secrets.map(open) };
  });
  return { ...endpoint, ...(opened ?? { authorization: null, secrets: [] }) };
}

const CLAIMED = `
  d.id, d.holder, d.event_id AS "eventId", d.user_id AS "userId", d.channel, d.target, d.type, d.urgent, d.job_id AS "jobId", d.data,
  d.occurred_at AS "occurredAt", d.attempt - d.attempt_offset AS attempt, d.mail_id AS "mailId",
  extract(epoch FROM now() - d.queued_at)::float8 * 1000 AS "ageMs"`;

/**
 * Waits for a lock on a row, mostly that of the scheduler, which marks it as dispatched. If the row
 * were skipped, its only message would be used up, and the delivery not sent until it is taken for
 * lost. Locked in order, so that two notifiers with copies of the same messages do not deadlock.
 */
const CLAIM_DELIVERIES = statement(
  'claim_deliveries',
  `
  WITH d AS (
    UPDATE deliveries d
    SET status = 'sending', attempt = d.attempt + 1, holder = mine.holder,
        lease_until = now() + $4::float8 * interval '1 ms', dispatched_at = NULL
    FROM (SELECT q.id, m.holder FROM unnest($1::uuid[], $2::int[], $3::text[]) AS m (id, attempt, holder)
          JOIN deliveries q ON q.id = m.id AND q.attempt = m.attempt
          WHERE q.status = 'queued' AND q.due_at <= now() ORDER BY q.id FOR UPDATE OF q) AS mine
    WHERE d.id = mine.id
    RETURNING d.*
  )
  SELECT ${CLAIMED},
         CASE WHEN w.id IS NOT NULL THEN json_build_object('id', w.id, 'url', w.url, 'login', encode(w.login, 'base64'), 'paused', w.paused_at IS NOT NULL,
           'receiverId', r.id, 'secrets',
           CASE WHEN r.previous_secret_until > now()
                THEN json_build_array(encode(r.secret, 'base64'), encode(r.previous_secret, 'base64'))
                ELSE json_build_array(encode(r.secret, 'base64')) END) END AS webhook,
         CASE WHEN d.channel = 'push' THEN (
           SELECT json_build_object('id', s.id, 'secrets', encode(s.secrets, 'base64')) FROM subscriptions s
           WHERE s.channel = 'push' AND md5(s.target) = md5(d.target) AND s.user_id = d.user_id AND s.secrets IS NOT NULL LIMIT 1) END AS push
  FROM d LEFT JOIN webhooks w ON w.id = d.webhook_id LEFT JOIN webhook_receivers r ON r.id = w.receiver_id
  `,
);

/** Items per mail; the rest goes in the next. */
const MAIL_ITEMS = 500;

/**
 * Claims the delivery of a wake-up message and with it all that wait for the same address, due or
 * not: they become one mail. A mail that was tried before is composed of the same ones as then, or
 * left: in two parts under one `Message-ID`, the second would be dropped as a copy.
 */
export const claimMail = (
  sql: Sql,
  claim: DeliveryClaim,
  { holder, leaseMs }: { holder: string; leaseMs: number },
): Promise<ClaimedDelivery[]> =>
  sql.query<ClaimedDelivery>(CLAIM_MAIL, [claim.id, claim.attempt, holder, leaseMs, MAIL_ITEMS]);

/**
 * Each delivery of a mail that is retried has its own wake-up message, and two notifiers may
 * receive one each. So the first delivery represents the mail: the notifier that locks it first
 * claims them all, the other finds it claimed and takes none.
 */
const CLAIM_MAIL = statement(
  'claim_mail',
  `
  WITH rung AS (
    SELECT id, user_id, target, mail_id FROM deliveries
    WHERE id = $1 AND attempt = $2 AND status = 'queued' AND due_at <= now()
  ), held AS (
    SELECT q.id FROM rung r
    JOIN deliveries q ON q.id = CASE WHEN r.mail_id IS NULL THEN r.id ELSE (
      SELECT m.id FROM deliveries m WHERE m.mail_id = r.mail_id AND m.status = 'queued' ORDER BY m.id LIMIT 1) END
    WHERE q.status = 'queued' AND q.mail_id IS NOT DISTINCT FROM r.mail_id AND (q.id <> r.id OR q.attempt = $2)
      -- Of a lost notifier, and not all are requeued yet.
      AND NOT EXISTS (SELECT FROM deliveries s WHERE s.mail_id = r.mail_id AND s.status = 'sending')
    FOR UPDATE OF q
  ), again AS (
    SELECT q.id FROM held, rung r JOIN deliveries q ON q.mail_id = r.mail_id AND q.status = 'queued'
    ORDER BY q.id FOR UPDATE OF q
  ), gathered AS (
    SELECT q.id FROM held, rung r
    JOIN deliveries q ON q.channel = 'email' AND q.target = r.target AND q.user_id = r.user_id AND q.status = 'queued'
    WHERE r.mail_id IS NULL AND q.mail_id IS NULL AND q.id <> r.id
    ORDER BY q.due_at LIMIT $5::int - 1 FOR UPDATE OF q SKIP LOCKED
  ), d AS (
    UPDATE deliveries d
    SET status = 'sending', attempt = d.attempt + 1, holder = $3, lease_until = now() + $4::float8 * interval '1 ms',
        dispatched_at = NULL, mail_id = coalesce(r.mail_id, r.id)
    FROM rung r, (SELECT id FROM held UNION SELECT id FROM again UNION SELECT id FROM gathered) AS mine
    WHERE d.id = mine.id
    RETURNING d.*
  )
  SELECT ${CLAIMED}, NULL AS webhook, NULL AS push FROM d ORDER BY d.urgent DESC, d.occurred_at, d.id
  `,
);
