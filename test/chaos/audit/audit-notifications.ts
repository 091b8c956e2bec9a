import { wordingOf } from '../../../core/notifications/notification.ts';
import type { Violation } from './violation.ts';

/**
 * The ways by which subscribers are notified; `job_webhook` is the endpoint that a job names
 * itself.
 */
export type Way = 'in_app' | 'email' | 'push' | 'webhook' | 'job_webhook';

/**
 * Event types per way, by the subscriptions and what docs/notifications.md says of a user's own
 * actions.
 */
export const NOTIFIED_TYPES: Record<Way, string[]> = {
  in_app: ['job.started', 'job.retrying', 'job.completed', 'job.failed', 'lead.found'],
  email: ['job.retrying', 'job.completed', 'job.failed'],
  push: ['job.completed', 'job.failed'],
  webhook: [
    ...['job.created', 'job.started', 'job.retrying', 'job.completed', 'job.failed', 'job.cancelled'],
    'lead.found',
  ],
  job_webhook: ['job.completed', 'job.failed', 'job.cancelled'],
};
const WAYS = Object.keys(NOTIFIED_TYPES) as Way[];

export interface Subscriber {
  name: string;
  userId: string;
  address: string;
}

/** One received notification. */
export interface Receipt {
  subscriber: string;
  channel: Way;
  /** The event it reports, in the words of that way. */
  about: string;
  /** The id by which its receiver detects a repeat. */
  id: string;
  /** False if the receiver answered with a server error. */
  taken: boolean;
  /** In ms. */
  at: number;
}

export interface LedgerLine {
  type: string;
  user_id: string;
  job_id: string;
  occurred_at: Date;
  data: Record<string, unknown>;
}

export interface NotificationSnapshot {
  subscribers: Subscriber[];
  /** The ledger's events of the jobs of these subscribers. */
  events: LedgerLine[];
  receipts: Receipt[];
  /** When notifiers were killed, in ms. */
  notifierKills: number[];
  /** Deliveries that did not end as delivered, as `channel status code`. */
  undelivered: string[];
  /** Ids of notifications without exactly one `notification.delivered`. */
  withoutOneEvent: string[];
  pausedEndpoints: number;
}

/** One line of the table of receipts. */
export interface Tally {
  way: Way;
  expected: number;
  /** Each counted once. */
  received: number;
  missing: number;
  doubled: number;
  /** Receipts accepted again under an id that was accepted before. */
  repeats: number;
}

/**
 * An accepted mail is recorded within milliseconds, on a loaded machine within seconds; only a
 * notifier that was killed before may send it again.
 */
const UNRECORDED_MS = 10_000;
const URL_OF_JOB = (jobId: string) => `/api/v1/jobs/${jobId}`;

/**
 * What each receiver has, against the ledger: everything once; in the app and by mail under one id
 * and exactly once, by webhook and push under one id and at least once. A mail may come again,
 * under its `Message-ID`, if its notifier was killed at that moment. Pure.
 */
export function auditNotifications(snapshot: NotificationSnapshot): {
  violations: Violation[];
  tallies: Tally[];
} {
  const violations: Violation[] = [];
  const tallies = WAYS.map((way) => {
    const expected = countBy(expectedOf(snapshot, way));
    const receipts = snapshot.receipts.filter(({ channel }) => channel === way);
    const idsOf = new Map<string, Map<string, number[]>>();
    for (const { subscriber, about, id, taken, at } of receipts) {
      const name = nameOf(subscriber, about);
      const ids = idsOf.get(name) ?? new Map<string, number[]>();
      idsOf.set(name, ids.set(id, [...(ids.get(id) ?? []), ...(taken ? [at] : [])]));
    }
    const tally: Tally = { way, expected: 0, received: 0, missing: 0, doubled: 0, repeats: 0 };
    const add = (kind: string, detail: string) => violations.push({ kind, detail: `${way}: ${detail}` });
    for (const name of new Set([...expected.keys(), ...idsOf.keys()])) {
      const wanted = expected.get(name) ?? 0;
      const ids = [...(idsOf.get(name) ?? [])];
      const received = ids.filter(([, times]) => times.length > 0).length;
      tally.expected += wanted;
      tally.received += received;
      if (received < wanted) {
        tally.missing += wanted - received;
        add('notification_missing', name);
      }
      if (ids.length > wanted) {
        tally.doubled += ids.length - wanted;
        add(wanted === 0 ? 'notification_of_nothing' : 'notification_doubled', `${name}: ${ids.join(' ')}`);
      }
      for (const [id, times] of ids) {
        tally.repeats += Math.max(0, times.length - 1);
        for (const again of repeatsWithoutReason(way, times, snapshot.notifierKills)) {
          add('notification_repeated', `${name}: ${id} came again ${again - Number(times[0])} ms later`);
        }
      }
    }
    for (const [id, names] of namesById(receipts)) {
      // A receiver that keeps one notification per id would drop the other.
      if (names.size > 1) add('id_reused', `${id}: ${[...names].join(' and ')}`);
    }
    return tally;
  });
  for (const what of snapshot.undelivered) violations.push({ kind: 'not_delivered', detail: what });
  for (const id of snapshot.withoutOneEvent)
    violations.push({ kind: 'delivery_without_one_event', detail: id });
  if (snapshot.pausedEndpoints > 0) {
    violations.push({ kind: 'endpoint_paused', detail: `${snapshot.pausedEndpoints} of them` });
  }
  return { violations, tallies };
}

/** The events reported under each id. */
function namesById(receipts: Receipt[]): Map<string, Set<string>> {
  const namesOf = new Map<string, Set<string>>();
  for (const { subscriber, about, id } of receipts) {
    namesOf.set(id, (namesOf.get(id) ?? new Set()).add(nameOf(subscriber, about)));
  }
  return namesOf;
}

function repeatsWithoutReason(way: Way, times: number[], kills: number[]): number[] {
  if (way === 'webhook' || way === 'job_webhook' || way === 'push') return [];
  const sorted = times.toSorted((a, b) => a - b);
  return sorted.slice(1).filter((_at, index) => {
    const before = sorted[index] ?? 0;
    return way === 'in_app' || !kills.some((kill) => kill >= before && kill <= before + UNRECORDED_MS);
  });
}

function expectedOf({ subscribers, events }: NotificationSnapshot, way: Way): string[] {
  const names = new Map(subscribers.map(({ userId, name }) => [userId, name]));
  return events
    .filter(({ type }) => NOTIFIED_TYPES[way].includes(type))
    .map((event) => nameOf(names.get(event.user_id) ?? event.user_id, aboutOf(event, way)));
}

const nameOf = (subscriber: string, about: string): string => `${subscriber} ${about}`;

/** A mail describes an event in words, all other ways by its type and time. */
function aboutOf({ type, job_id, occurred_at, data }: LedgerLine, way: Way): string {
  if (way !== 'email') return eventName(type, job_id, occurred_at.toISOString());
  const { title, text } = wordingOf(type, data);
  return mailName([title, text, URL_OF_JOB(job_id)].filter(Boolean).join('\n'));
}

export const eventName = (type: string, jobId: string, occurredAt: string): string =>
  `${type} ${jobId} ${new Date(occurredAt).toISOString()}`;

/** An item of a mail, whatever address the installation has. */
export const mailName = (item: string): string =>
  item.replace(/https?:\/\/[^/\s]+/g, '').replaceAll('\n', ' | ');

function countBy(names: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
