import { wordingOf } from '../../core/notifications/notification.ts';
import type { Sql } from '../connect.ts';
import { type KeysetCursor, keyset, keysetValues, pageOf } from '../keyset.ts';
import { statement } from '../statement.ts';

/** A notification as the app shows it. */
export interface Notification {
  id: string;
  event_id: string;
  type: string;
  urgent: boolean;
  title: string;
  text: string;
  job_id: string | null;
  data: Record<string, unknown>;
  occurred_at: Date;
  created_at: Date;
  read_at: Date | null;
}

/**
 * A user's notifications, by the time of their event, newest first, and how many of all are unread.
 */
export async function listNotifications(
  sql: Sql,
  page: { userId: string; unread: boolean; limit: number; after: KeysetCursor | null },
): Promise<{ notifications: Notification[]; unreadCount: number; next: KeysetCursor | null }> {
  const [rows, unreadCount] = await Promise.all([
    sql.query<NotificationRow>(page.unread ? LIST_UNREAD : LIST_NOTIFICATIONS, [
      page.userId,
      ...keysetValues(page.after),
      page.limit + 1,
    ]),
    countUnread(sql, page.userId),
  ]);
  const { items, next } = pageOf(rows, page.limit, toNotification);
  return { notifications: items, unreadCount, next };
}

export async function findNotification(sql: Sql, userId: string, id: string): Promise<Notification | null> {
  const [row] = await sql.query<NotificationRow>(FIND_NOTIFICATION, [userId, id]);
  return row ? toNotification(row) : null;
}

/** Marks one as read; returns whether it exists. Idempotent: the first time stays. */
export async function markRead(sql: Sql, userId: string, id: string): Promise<Notification | null> {
  const [row] = await sql.query<NotificationRow>(MARK_READ, [userId, id]);
  return row ? toNotification(row) : null;
}

/** Marks all that are unread now; returns how many. */
export async function markAllRead(sql: Sql, userId: string): Promise<number> {
  const rows = await sql.query(MARK_ALL_READ, [userId]);
  return rows.length;
}

export async function countUnread(sql: Sql, userId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(COUNT_UNREAD, [userId]);
  return row?.count ?? 0;
}

type NotificationRow = Omit<Notification, 'title' | 'text'> & { cursor: string };

const toNotification = ({ cursor: _cursor, ...row }: NotificationRow): Notification => {
  const { id, event_id, type, urgent, ...rest } = row;
  return { id, event_id, type, urgent, ...wordingOf(type, row.data), ...rest };
};

const NEWEST = keyset('occurred_at', 'id');

const COLUMNS = `id, event_id, type, urgent, job_id, data, occurred_at, created_at, read_at, ${NEWEST.column}`;

const listWhere = (condition: string) => `
  SELECT ${COLUMNS} FROM notifications
  WHERE user_id = $1 AND ${NEWEST.behind('$2', '$3')}${condition}
  ORDER BY ${NEWEST.order} LIMIT $4
`;
const LIST_NOTIFICATIONS = statement('list_notifications', listWhere(''));
const LIST_UNREAD = statement('list_unread', listWhere(' AND read_at IS NULL'));

const FIND_NOTIFICATION = statement(
  'find_notification',
  `SELECT ${COLUMNS} FROM notifications WHERE user_id = $1 AND id = $2`,
);

const MARK_READ = statement(
  'mark_read',
  `UPDATE notifications SET read_at = coalesce(read_at, now()) WHERE user_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
);

const MARK_ALL_READ = statement(
  'mark_all_read',
  'UPDATE notifications SET read_at = now() WHERE user_id = $1 AND read_at IS NULL RETURNING id',
);

const COUNT_UNREAD = statement(
  'count_unread',
  'SELECT count(*)::int AS count FROM notifications WHERE user_id = $1 AND read_at IS NULL',
);
