import {
  changeSubscriptionRequest,
  listSubscriptionsQuery,
  type SubscribeRequest,
  subscribeRequest,
} from '../../core/notifications/subscription-schemas.ts';
import { type Caller, findUser } from '../../db/accounts/users.ts';
import type { Database, Sql } from '../../db/connect.ts';
import {
  changeSubscription,
  createSubscription,
  deleteSubscription,
  findSubscription,
  listSubscriptions,
  MAX_SUBSCRIPTIONS,
  type NewSubscription,
} from '../../db/notifications/subscriptions.ts';
import { ensureWebhook } from '../../db/notifications/webhooks.ts';
import { isAdmin } from '../http/access.ts';
import { createOnce } from '../http/create-once.ts';
import { decodeJobCursor, encodeJobCursor } from '../http/cursor.ts';
import { conflict, forbidden, invalidRequest, notFound } from '../http/problem.ts';
import type { RefusedTargets, UrlField } from '../http/refused-targets.ts';
import { type Handler, pathParameter, sendJson, sendNoContent } from '../http/route.ts';
import { readBody, readQuery, requireNoQuery } from '../http/validation.ts';

/**
 * `POST /subscriptions {events, filter?, channel, target?}`. The secret of a new webhook is in the
 * answer.
 */
export const subscribe = (
  database: Database,
  options: { email: boolean; refusedTargets: RefusedTargets },
): Handler =>
  createOnce(
    database,
    options.refusedTargets.refuseIn(subscribeRequest, urlsOf),
    async (sql, body, response) => {
      const { caller } = response.locals;
      if (body.channel === 'email' && !options.email) {
        throw conflict(
          'email_not_configured',
          'this installation sends no e-mail: its operator sets SMTP_URL',
        );
      }
      const { webhookSecret, ...target } = await targetOf(sql, caller, body);
      const { events, channel, filter = {} } = body;
      const created = await createSubscription(sql, {
        ...{ userId: caller.userId, events, channel, filter },
        ...target,
      });
      if (!created) {
        throw conflict('too_many_subscriptions', `a user has at most ${MAX_SUBSCRIPTIONS} subscriptions`);
      }
      return {
        body: webhookSecret ? { ...created, secret: webhookSecret } : created,
        location: `/api/v1/subscriptions/${created.id}`,
      };
    },
    { sealed: true },
  );

function urlsOf(body: SubscribeRequest): UrlField[] {
  if (body.channel === 'webhook') return [{ path: ['target'], url: body.target }];
  if (body.channel === 'push') return [{ path: ['target', 'endpoint'], url: body.target.endpoint }];
  return [];
}

type Target = Pick<NewSubscription, 'target' | 'push' | 'webhookId'> & { webhookSecret?: string };

async function targetOf(sql: Sql, caller: Caller, body: SubscribeRequest): Promise<Target> {
  switch (body.channel) {
    case 'in_app':
      return { target: null, webhookId: null };
    case 'email':
      return { target: await addressFor(sql, caller, body.target), webhookId: null };
    case 'push': {
      const { endpoint, keys } = body.target;
      return { target: null, push: { endpoint, keys }, webhookId: null };
    }
    case 'webhook': {
      const endpoint = {
        userId: caller.userId,
        url: body.target,
        description: null,
      };
      const { webhook, secret, fresh } = await ensureWebhook(sql, endpoint);
      return { target: null, webhookId: webhook.id, ...(fresh && secret ? { webhookSecret: secret } : {}) };
    }
    default:
      return body satisfies never;
  }
}

/**
 * Mail goes to the account's own address, which an admin entered. Only an admin may name another
 * one, so that users cannot have third parties mailed.
 */
async function addressFor(sql: Sql, caller: Caller, asked: string | undefined): Promise<string> {
  const own = (await findUser(sql, caller.userId))?.email ?? '';
  const address = asked?.toLowerCase() ?? own;
  if (address !== own && !isAdmin(caller)) {
    throw forbidden('mail goes to the address of your account; only an admin names another');
  }
  if (address.endsWith('@localhost')) {
    throw invalidRequest([
      { path: 'target', message: `expected an address: ${own} of your account is none` },
    ]);
  }
  return address;
}

/** `GET /subscriptions`, newest first. */
export const listOwnSubscriptions =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor } = readQuery(request, listSubscriptionsQuery);
    const { userId } = response.locals.caller;
    const { subscriptions, next } = await listSubscriptions(sql, {
      userId,
      limit,
      after: decodeJobCursor(cursor),
    });
    sendJson(response, 200, { subscriptions, next_cursor: next && encodeJobCursor(next) });
  };

/** `GET /subscriptions/{id}`. */
export const showSubscription =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { userId } = response.locals.caller;
    const found = await findSubscription(sql, userId, pathParameter(request, 'id'));
    if (!found) throw noSuchSubscription();
    sendJson(response, 200, found);
  };

/** `PATCH /subscriptions/{id} {events?, filter?, active?}`. */
export const editSubscription =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const body = await readBody(request, changeSubscriptionRequest);
    const { userId } = response.locals.caller;
    const changed = await changeSubscription(sql, userId, pathParameter(request, 'id'), body);
    if (!changed) throw noSuchSubscription();
    sendJson(response, 200, changed);
  };

/** `DELETE /subscriptions/{id}`. */
export const unsubscribe =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { userId } = response.locals.caller;
    if (!(await deleteSubscription(sql, userId, pathParameter(request, 'id')))) throw noSuchSubscription();
    sendNoContent(response);
  };

const noSuchSubscription = () => notFound('there is no such subscription');
