import { expect, test } from '@jest/globals';
import {
  auditNotifications,
  eventName,
  mailName,
  type NotificationSnapshot,
  type Receipt,
} from './chaos/audit/audit-notifications.ts';

/**
 * Tests of the notification auditor: a correct snapshot, and each way in which one can be wrong.
 */

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

const right = (): NotificationSnapshot => ({
  subscribers: [{ name: 'ann', userId: 'u1', address: 'ann@example.com' }],
  events: [
    {
      ...{ type: 'job.completed', user_id: 'u1', job_id: JOB, occurred_at: occurredAt },
      data: { job_id: JOB, counts: { pages: 1, leads: 0, errors: 0 } },
    },
  ],
  receipts: [receipt('in_app'), mail(), receipt('push'), receipt('webhook'), receipt('job_webhook')],
  ...{ notifierKills: [], undelivered: [], withoutOneEvent: [], pausedEndpoints: 0 },
});
const kindsOf = (spoil: (snapshot: NotificationSnapshot) => void) => {
  const snapshot = right();
  spoil(snapshot);
  return [...new Set(auditNotifications(snapshot).violations.map(({ kind }) => kind))];
};

test('a correct snapshot has no violations', () => {
  const { violations, tallies } = auditNotifications(right());
  expect(violations).toEqual([]);
  expect(tallies.map(({ expected, received }) => [expected, received])).toEqual(Array(5).fill([1, 1]));
});

const wrong: [kind: string, what: string, spoil: (snapshot: NotificationSnapshot) => void][] = [
  ['notification_missing', 'nothing came', ({ receipts }) => receipts.splice(1, 1)],
  [
    'notification_missing',
    'it came, and the receiver did not take it',
    (snapshot) => {
      snapshot.receipts[3] = receipt('webhook', { taken: false });
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
    (snapshot) => {
      snapshot.receipts.push(mail({ at: 60_000 }));
      snapshot.notifierKills.push(30_000);
    },
  ],
  [
    'notification_of_nothing',
    "another's",
    ({ receipts }) => receipts.push(receipt('push', { subscriber: 'bob', id: 'x' })),
  ],
  ['not_delivered', 'a dead letter', ({ undelivered }) => undelivered.push('email 1 failed')],
  ['delivery_without_one_event', 'no event of it', ({ withoutOneEvent }) => withoutOneEvent.push('d1')],
  [
    'endpoint_paused',
    'a paused endpoint',
    (snapshot) => {
      snapshot.pausedEndpoints = 1;
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
  const kinds = kindsOf((snapshot) => {
    snapshot.receipts.push(receipt('webhook', { at: 9000 }), mail({ at: 20_000 }));
    snapshot.notifierKills.push(1200);
  });
  expect(kinds).toEqual([]);
});
