import {
  changeWebhookRequest,
  createWebhookRequest,
  listDeliveriesQuery,
  rotateSecretRequest,
} from '../../core/notifications/subscription-schemas.ts';
import type { Database, Sql } from '../../db/connect.ts';
import { hasDelivery, listWebhookDeliveries, redeliver } from '../../db/notifications/deliveries/read.ts';
import {
  changeWebhook,
  deleteWebhook,
  ensureWebhook,
  findSecrets,
  findWebhook,
  listWebhooks,
  rotateSecret,
  type Webhook,
} from '../../db/notifications/webhooks.ts';
import { createOnce } from '../http/create-once.ts';
import { decodeJobCursor, encodeJobCursor } from '../http/cursor.ts';
import { conflict, invalidRequest, notFound } from '../http/problem.ts';
import type { RefusedTargets } from '../http/refused-targets.ts';
import {
  type ApiRequest,
  type ApiResponse,
  type Handler,
  pathParameter,
  sendJson,
  sendNoContent,
} from '../http/route.ts';
import { readBody, readQuery, requireNoQuery } from '../http/validation.ts';

/** `POST /webhooks {url, description?}`: 201 with the secret; 409 if the URL has one already. */
export const addWebhook = (database: Database, refusedTargets: RefusedTargets): Handler =>
  createOnce(
    database,
    refusedTargets.refuseIn(createWebhookRequest, ({ url }) => [{ path: ['url'], url }]),
    async (sql, body, response) => {
      const { webhook, secret, fresh } = await ensureWebhook(sql, {
        userId: response.locals.caller.userId,
        url: body.url,
        description: body.description ?? null,
      });
      if (!fresh) throw conflict('webhook_exists', `webhook ${webhook.id} has this URL`);
      return { body: { ...webhook, secret }, location: `/api/v1/webhooks/${webhook.id}` };
    },
    { sealed: true },
  );

/** `GET /webhooks`, oldest first. */
export const listOwnWebhooks =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    sendJson(response, 200, { webhooks: await listWebhooks(sql, response.locals.caller.userId) });
  };

/** `GET /webhooks/{id}`. */
export const showWebhook =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    sendJson(response, 200, await ownWebhook(sql, request, response));
  };

/** `GET /webhooks/{id}/secret`: the signing secret; during a rotation the old one too. */
export const showSecret =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { id } = await ownWebhook(sql, request, response);
    const secrets = await findSecrets(sql, response.locals.caller.userId, id);
    if (!secrets) throw noSuchWebhook();
    sendJson(response, 200, { secret: secrets[0], old_secret: secrets[1] ?? null });
  };

/**
 * `POST /webhooks/{id}/rotate-secret {old_valid_until?}`: both secrets sign until then; default one
 * day.
 */
export const rotate =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const body = await readBody(request, rotateSecretRequest, {});
    if (body.old_valid_until && Date.parse(body.old_valid_until) <= Date.now()) {
      throw invalidRequest([{ path: 'old_valid_until', message: 'expected a moment in the future' }]);
    }
    const { id } = await ownWebhook(sql, request, response);
    const { userId } = response.locals.caller;
    const rotated = await rotateSecret(sql, userId, id, body.old_valid_until ?? null);
    if (!rotated) throw noSuchWebhook();
    sendJson(response, 200, { secret: rotated.secret, old_valid_until: rotated.oldValidUntil });
  };

/** `PATCH /webhooks/{id} {description?, paused?}`: `paused: false` resumes delivery. */
export const editWebhook =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const body = await readBody(request, changeWebhookRequest);
    const { userId } = response.locals.caller;
    const changed = await changeWebhook(sql, userId, pathParameter(request, 'id'), body);
    if (!changed) throw noSuchWebhook();
    sendJson(response, 200, changed);
  };

/** `DELETE /webhooks/{id}`, with its subscriptions and history. */
export const removeWebhook =
  (database: Database): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { userId } = response.locals.caller;
    if (!(await deleteWebhook(database, userId, pathParameter(request, 'id')))) throw noSuchWebhook();
    sendNoContent(response);
  };

/**
 * `GET /webhooks/{id}/deliveries?status=`, newest first, each with its attempts and their
 * responses.
 */
export const listDeliveries =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor, status } = readQuery(request, listDeliveriesQuery);
    const { id } = await ownWebhook(sql, request, response);
    const page = { status, limit, after: decodeJobCursor(cursor) };
    const { deliveries, next } = await listWebhookDeliveries(sql, id, page);
    sendJson(response, 200, { deliveries, next_cursor: next && encodeJobCursor(next) });
  };

/**
 * `POST /webhooks/{id}/deliveries/{delivery_id}/redeliver`: sends it again with the same
 * `webhook-id`.
 */
export const redeliverOne =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const webhook = await ownWebhook(sql, request, response);
    const delivery = pathParameter(request, 'delivery');
    if (!(await hasDelivery(sql, webhook.id, delivery))) throw notFound('there is no such delivery');
    if (webhook.paused_at) throw conflict('webhook_paused', 'the webhook is paused: resume it first');
    const queued = await redeliver(sql, webhook.id, delivery);
    if (!queued) throw conflict('delivery_under_way', 'it is under way already');
    sendJson(response, 202, queued);
  };

async function ownWebhook(sql: Sql, request: ApiRequest, response: ApiResponse): Promise<Webhook> {
  const { userId } = response.locals.caller;
  const webhook = await findWebhook(sql, userId, pathParameter(request, 'id'));
  if (!webhook) throw noSuchWebhook();
  return webhook;
}

const noSuchWebhook = () => notFound('there is no such webhook');
