import { listNotificationsQuery } from '../../core/notifications/subscription-schemas.ts';
import type { VapidKeys } from '../../core/notifications/vapid.ts';
import type { Sql } from '../../db/connect.ts';
import {
  countUnread,
  findNotification,
  listNotifications,
  markAllRead,
  markRead,
} from '../../db/notifications/in-app.ts';
import { vapidKeys } from '../../db/secrets/installation-secrets.ts';
import { decodeJobCursor, encodeJobCursor } from '../http/cursor.ts';
import { notFound } from '../http/problem.ts';
import { type Handler, pathParameter, sendJson } from '../http/route.ts';
import { readQuery, requireNoQuery } from '../http/validation.ts';

/** `GET /notifications?unread=`, newest first. `unread_count` counts all, not just this page. */
export const listOwnNotifications =
  (sql: Sql): Handler =>
  async (request, response) => {
    const { limit, cursor, unread } = readQuery(request, listNotificationsQuery);
    const { userId } = response.locals.caller;
    const page = { userId, unread: unread === 'true', limit, after: decodeJobCursor(cursor) };
    const { notifications, unreadCount, next } = await listNotifications(sql, page);
    sendJson(response, 200, {
      notifications,
      unread_count: unreadCount,
      next_cursor: next && encodeJobCursor(next),
    });
  };

/** `GET /notifications/{id}`. */
export const showNotification =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { userId } = response.locals.caller;
    const found = await findNotification(sql, userId, pathParameter(request, 'id'));
    if (!found) throw noSuchNotification();
    sendJson(response, 200, found);
  };

/** `POST /notifications/{id}/read`. Idempotent. */
export const readOne =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { userId } = response.locals.caller;
    const marked = await markRead(sql, userId, pathParameter(request, 'id'));
    if (!marked) throw noSuchNotification();
    sendJson(response, 200, marked);
  };

/** `POST /notifications/read`: all of them. */
export const readAll =
  (sql: Sql): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { userId } = response.locals.caller;
    const read = await markAllRead(sql, userId);
    sendJson(response, 200, { read, unread_count: await countUnread(sql, userId) });
  };

/** `GET /push/public-key`: the `applicationServerKey` a browser subscribes with. */
export const showPushKey =
  (sql: Sql, given: VapidKeys | undefined): Handler =>
  async (request, response) => {
    requireNoQuery(request);
    const { publicKey } = await vapidKeys(sql, given);
    sendJson(response, 200, { public_key: publicKey });
  };

const noSuchNotification = () => notFound('there is no such notification');
