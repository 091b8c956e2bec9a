import { z } from 'zod';
import {
  changeSubscriptionRequest,
  changeWebhookRequest,
  createWebhookRequest,
  listDeliveriesQuery,
  listNotificationsQuery,
  listSubscriptionsQuery,
  rotateSecretRequest,
  subscribeRequest,
} from '../../core/notifications/subscription-schemas.ts';
import { anything, count, created, listOf, type Operations, ok, removed, time, uuid } from './operation.ts';

const subscriptionFields = {
  id: uuid,
  events: z.array(z.string()),
  filter: anything,
  channel: z.string(),
  target: z.string().nullable(),
  webhook_id: uuid.nullable(),
  active: z.boolean(),
  created_at: time,
};
const subscription = z.object(subscriptionFields).meta({ id: 'Subscription' });
const secret = z.string().meta({ description: 'As Standard Webhooks has it: `whsec_…`' });

const notification = z
  .object({
    id: uuid,
    event_id: uuid,
    type: z.string(),
    urgent: z.boolean(),
    title: z.string(),
    text: z.string(),
    job_id: uuid.nullable(),
    data: anything,
    occurred_at: time,
    created_at: time,
    read_at: time.nullable(),
  })
  .meta({ id: 'Notification' });

const webhookFields = {
  id: uuid,
  url: z.string(),
  url_credentials: z.boolean(),
  description: z.string(),
  failing_since: time.nullable(),
  paused_at: time.nullable(),
  paused_reason: z.enum(['failing', 'gone', 'user']).nullable(),
  created_at: time,
};
const webhook = z.object(webhookFields).meta({ id: 'Webhook' });
const delivery = z.looseObject({ id: uuid, status: z.string() }).meta({ id: 'Delivery' });

export const notificationOperations: Operations = {
  'GET /api/v1/subscriptions': {
    summary: 'List subscriptions',
    query: listSubscriptionsQuery,
    answers: ok('Subscriptions', listOf('subscriptions', subscription)),
  },
  'POST /api/v1/subscriptions': {
    summary: 'Subscribe to events',
    body: subscribeRequest,
    isIdempotent: true,
    answers: created(
      'The subscription; that of a webhook has its secret',
      z.object({ ...subscriptionFields, secret: secret.optional() }),
    ),
    errors: { 409: ['too_many_subscriptions', 'email_not_configured'] },
  },
  'GET /api/v1/subscriptions/:id': { summary: 'Show a subscription', answers: ok('It', subscription) },
  'PATCH /api/v1/subscriptions/:id': {
    summary: 'Change a subscription',
    body: changeSubscriptionRequest,
    answers: ok('It, changed', subscription),
  },
  'DELETE /api/v1/subscriptions/:id': { summary: 'Unsubscribe', answers: removed('It is gone') },
  'GET /api/v1/notifications': {
    summary: 'List notifications, newest first',
    query: listNotificationsQuery,
    answers: ok('Notifications', listOf('notifications', notification, { unread_count: count })),
  },
  'POST /api/v1/notifications/read': {
    summary: 'Mark all notifications as read',
    answers: ok('How many', z.object({ read: count, unread_count: count })),
  },
  'GET /api/v1/notifications/:id': { summary: 'Show a notification', answers: ok('It', notification) },
  'POST /api/v1/notifications/:id/read': {
    summary: 'Mark a notification as read',
    answers: ok('It', notification),
  },
  'GET /api/v1/push/public-key': {
    summary: 'Show the key for web push',
    answers: ok('For `pushManager.subscribe`', z.object({ public_key: z.string() })),
  },
  'GET /api/v1/webhooks': {
    summary: 'List webhooks, oldest first',
    answers: ok('Webhooks', z.object({ webhooks: z.array(webhook) })),
  },
  'POST /api/v1/webhooks': {
    summary: 'Add a webhook',
    body: createWebhookRequest,
    isIdempotent: true,
    answers: created('The webhook with its secret', z.object({ ...webhookFields, secret })),
    errors: { 409: ['webhook_exists'] },
  },
  'GET /api/v1/webhooks/:id': { summary: 'Show a webhook', answers: ok('It', webhook) },
  'PATCH /api/v1/webhooks/:id': {
    summary: 'Change, pause or resume a webhook',
    body: changeWebhookRequest,
    answers: ok('It, changed', webhook),
  },
  'DELETE /api/v1/webhooks/:id': { summary: 'Remove a webhook', answers: removed('It is gone') },
  'GET /api/v1/webhooks/:id/secret': {
    summary: 'Show what signs now',
    answers: ok('The secrets', z.object({ secret, old_secret: secret.nullable() })),
  },
  'POST /api/v1/webhooks/:id/rotate-secret': {
    summary: 'Replace the signing secret',
    body: rotateSecretRequest,
    isBodyOptional: true,
    answers: ok('The new secret', z.object({ secret, old_valid_until: time.nullable() })),
  },
  'GET /api/v1/webhooks/:id/deliveries': {
    summary: 'List what was sent and answered',
    query: listDeliveriesQuery,
    answers: ok('Deliveries', listOf('deliveries', delivery)),
  },
  'POST /api/v1/webhooks/:id/deliveries/:delivery/redeliver': {
    summary: 'Send a delivery again',
    answers: { 202: { says: 'It is queued', json: delivery } },
    errors: { 409: ['webhook_paused', 'delivery_under_way'] },
  },
  'GET /unsubscribe/:token': {
    summary: 'The page behind the link of an e-mail',
    answers: { 200: { says: 'A page that asks', types: ['text/html'] } },
  },
  'POST /unsubscribe/:token': {
    summary: 'Unsubscribe by the link of an e-mail',
    answers: { 200: { says: 'A page that confirms', types: ['text/html'] } },
  },
};
