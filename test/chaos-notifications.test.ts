import { expect, test } from '@jest/globals';
import {
  auditNotifications,
  eventName,
  mailName,
  type NotificationBooks,
  type Receipt,
} from './chaos/audit/audit-notifications.ts';

/** The judge of what everybody was told, judged: books in which everything is right, and each way in which they can be wrong. */

const JOB = '01a1fc88-224c-763f-a16a-9ff3b503843d';
const occurredAt = new Date('2026-01-01T12:00:00.123Z');
const about = eventName('job.completed', JOB, occurredAt.toISOString());
const receipt = (channel: Receipt['channel'], fields: Partial<Receipt> = {}): Receipt => ({
  ...{ subscriber: 'ann', channel, about, id: `${channel}-1`, taken: true, at: 1000 },
  ...fields,
});
const mail = (fields: Partial<Receipt> = {}) =>
  receipt('email', {
    about: mailName(`Job 01a1fc88 completed\nIt has 1 page.\nhttp://any.host:1/api/v1/jobs/${JOB}`),
    ...fields,
  });

const right = (): NotificationBooks => ({
  subscribers: [{ name: 'ann', userId: 'u1', address: 'ann@example.com' }],
  events: [
    {
      ...{ type: 'job.completed', user_id: 'u1', job_id: JOB, occurred_at: occurredAt },
      data: { job_id: JOB, counts: { pages: 1, leads: 0, errors: 0 } },
    },
  ],
  receipts: [receipt('in_app'), mail(), receipt('push'), receipt('webhook'), receipt('job_webhook')],
  ...{ notifierKills: [], undelivered: [], notToldOnce: [], pausedEndpoints: 0 },
});
const kindsOf = (spoil: (books: NotificationBooks) => void) => {
  const books = right();
  spoil(books);
  return [...new Set(auditNotifications(books).violations.map(({ kind }) => kind))];
};

test('books in order are found in order', () => {
  const { violations, tallies } = auditNotifications(right());
  expect(violations).toEqual([]);
  expect(tallies.map(({ expected, received }) => [expected, received])).toEqual(Array(5).fill([1, 1]));
});

const wrong: [kind: string, what: string, spoil: (books: NotificationBooks) => void][] = [
  ['notification_missing', 'nothing came', ({ receipts }) => receipts.splice(1, 1)],
  [
    'notification_missing',
    'it came, and the receiver did not take it',
    (books) => {
      books.receipts[3] = receipt('webhook', { taken: false });
    },
  ],
  [
    'notification_doubled',
    'in the app twice',
    ({ receipts }) => receipts.push(receipt('in_app', { id: 'x' })),
  ],
  ['notification_doubled', 'in two mails', ({ receipts }) => receipts.push(mail({ id: 'x' }))],
  [
    'notification_doubled',
    'by webhook under two ids, the first of them refused',
    ({ receipts }) => receipts.push(receipt('webhook', { id: 'x', taken: false })),
  ],
  ['notification_repeated', 'a mail came again for no reason', ({ receipts }) => receipts.push(mail())],
  [
    'notification_repeated',
    'a mail came again, long before its notifier was killed',
    (books) => {
      books.receipts.push(mail({ at: 60_000 }));
      books.notifierKills.push(30_000);
    },
  ],
  [
    'notification_of_nothing',
    "another's",
    ({ receipts }) => receipts.push(receipt('push', { subscriber: 'bob', id: 'x' })),
  ],
  ['not_delivered', 'a dead letter', ({ undelivered }) => undelivered.push('email 1 failed')],
  ['delivery_not_told_once', 'no event of it', ({ notToldOnce }) => notToldOnce.push('d1')],
  [
    'endpoint_paused',
    'a paused endpoint',
    (books) => {
      books.pausedEndpoints = 1;
    },
  ],
];

test.each(wrong)('%s: %s', (kind, _what, spoil) => {
  expect(kindsOf(spoil)).toEqual([kind]);
});

test('id_reused: two parts of a mail under one Message-ID', () => {
  const kinds = kindsOf(({ events, receipts }) => {
    const [event] = events;
    if (event) events.push({ ...event, data: { job_id: JOB, counts: { pages: 2 } } });
    receipts.push(mail({ about: mailName(`Job 01a1fc88 completed\nIt has 2 pages.\n/api/v1/jobs/${JOB}`) }));
  });
  expect(kinds).toContain('id_reused');
});

test('a webhook may come again under its id, and a mail whose notifier was killed when it was taken', () => {
  const kinds = kindsOf((books) => {
    books.receipts.push(receipt('webhook', { at: 9000 }), mail({ at: 20_000 }));
    books.notifierKills.push(1200);
  });
  expect(kinds).toEqual([]);
});
