import { z } from 'zod';
import {
  emailAddress,
  list,
  metadata,
  moment,
  queryInt,
  string,
  text,
  webUrl,
} from '../schema-primitives.ts';
import { EVENT_PATTERNS } from './notification.ts';

/** Request bodies and queries about subscriptions, notifications and webhooks. */

/** Filter on an event's job or error. All given fields must match. */
const filter = z.strictObject({
  job_id: z.uuid().optional(),
  /** 0 to 9: jobs of at least this priority. */
  min_priority: z.int().min(0).max(9).optional(),
  /** The job's `metadata` must contain all of this. */
  metadata: metadata.optional(),
  error_codes: list(text(200), { min: 1, max: 50 }).optional(),
});

const events = list(
  z.enum(
    EVENT_PATTERNS,
    `expected one of ${EVENT_PATTERNS.filter((pattern) => !pattern.includes('*')).join(', ')}, job.*, lead.*, *`,
  ),
  { min: 1, max: EVENT_PATTERNS.length },
);

const base64url = (bytes: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+={0,2}$/, 'expected base64url')
    .refine(
      (value) => Buffer.from(value, 'base64url').length === bytes,
      `expected ${bytes} bytes as base64url`,
    );

/** A browser's `PushSubscription.toJSON()`. */
const pushTarget = z.strictObject({
  endpoint: webUrl,
  expirationTime: z.number().nullable().optional(),
  keys: z.strictObject({ p256dh: base64url(65), auth: base64url(16) }),
});

const common = { events, filter: filter.optional() };

/** Body of `POST /subscriptions`. */
export const subscribeRequest = z.discriminatedUnion(
  'channel',
  [
    z.strictObject({ ...common, channel: z.literal('in_app') }),
    z.strictObject({ ...common, channel: z.literal('email'), target: emailAddress.optional() }),
    z.strictObject({ ...common, channel: z.literal('push'), target: pushTarget }),
    z.strictObject({ ...common, channel: z.literal('webhook'), target: webUrl }),
  ],
  'expected a channel: in_app, email, push or webhook',
);
export type SubscribeRequest = z.infer<typeof subscribeRequest>;

/** Body of `PATCH /subscriptions/{id}`. A new target needs a new subscription. */
export const changeSubscriptionRequest = z
  .strictObject({ events: events.optional(), filter: filter.optional(), active: z.boolean().optional() })
  .refine((body) => Object.keys(body).length > 0, 'expected at least one of events, filter, active');

const page = { limit: queryInt(1, 200).default(50), cursor: string(500).optional() };

export const listSubscriptionsQuery = z.strictObject(page);

/** Query of `GET /notifications`. */
export const listNotificationsQuery = z.strictObject({
  ...page,
  unread: z.enum(['true', 'false'], 'expected true or false').optional(),
});

/** Body of `POST /webhooks`. */
export const createWebhookRequest = z.strictObject({ url: webUrl, description: text(500).optional() });

/** Body of `PATCH /webhooks/{id}`. */
export const changeWebhookRequest = z
  .strictObject({ description: text(500).optional(), paused: z.boolean().optional() })
  .refine((body) => Object.keys(body).length > 0, 'expected at least one of description, paused');

/**
 * Body of `POST /webhooks/{id}/rotate-secret`; until `old_valid_until` the old secret signs too.
 */
export const rotateSecretRequest = z.strictObject({ old_valid_until: moment.optional() });

export const listDeliveriesQuery = z.strictObject({
  ...page,
  status: z.enum(['queued', 'sending', 'delivered', 'failed']).optional(),
});
