import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CHANNEL_QUEUES, JOB_NOTIFICATIONS, URGENT_NOTIFICATIONS } from '../../../queue/topology.ts';
import { waitFor } from '../../support/wait-for.ts';
import { auditNotifications, type Tally } from '../audit/audit-notifications.ts';
import { readNotificationSnapshot } from '../audit/notification-snapshot.ts';
import { countMessages } from '../audit/snapshot.ts';
import type { Violation } from '../audit/violation.ts';
import { createRandom, type Random } from '../faults/random.ts';
import { type Driver, type Installation, type Member, waitUntilReady } from '../installation.ts';
import { asAdmin } from '../postgres.ts';
import { unpublished } from '../run.ts';
import { withServices } from '../services.ts';
import { type ChaosClient, createClient } from './client.ts';
import { createJournal } from './journal.ts';
import { unfinished } from './load.ts';
import type { JobScript } from './script.ts';
import { type RegisteredSubscriber, type Subscribers, startSubscribers } from './subscribers.ts';

/** The result of a run, for people and programs. */
export interface NotificationReport {
  driver: Driver;
  seed: number;
  jobs: number;
  /** Events of jobs in the ledger. */
  jobEvents: number;
  subscribers: number;
  /** Messages at the mail server, and how many of them repeated a `Message-ID`. */
  mails: number;
  mailCopies: number;
  kills: Record<string, number>;
  tallies: Tally[];
  violations: Violation[];
}

interface NotificationOptions {
  driver: Driver;
  seed: number;
  /** Minimum number of job events. */
  events: number;
  jobsPerSecond: number;
  say(line: string): void;
}

const SUBSCRIBERS = 4;
/** Created, started and ended, at least. */
const EVENTS_A_JOB = 3;
const BATCH = 10;
/**
 * With more than this many unfinished jobs, none are posted: the run needs events, not a backlog.
 */
const MOST_UNFINISHED = 400;
const QUIET_MS = 180_000;
const SETTINGS = {
  EMAIL_DIGEST_SECONDS: '0',
  NOTIFY_MAX_ATTEMPTS: '50',
  NOTIFY_RETRY_BASE_MS: '100',
  WEBHOOK_MAX_ATTEMPTS: '50',
  WEBHOOK_RETRY_BASE_MS: '100',
};

/**
 * Notifiers, API processes and the broker (embedded: Postgres, which is the broker there) are
 * killed in rotation while jobs run and their events are notified; afterwards each receiver must
 * have each notification. Twice per round, a receiver itself kills every notifier: after it has
 * accepted a message and before it has answered, a moment that chance would hardly hit.
 */
export async function runNotifications(options: NotificationOptions): Promise<NotificationReport> {
  const subscribers = await startSubscribers();
  try {
    return await withServices(options.driver, async (start) => {
      const env = { ...SETTINGS, ...subscribers.env };
      const shape = { apis: 2, workers: 3, browserWorkers: 0, notifiers: 2, slots: 4, leaseMs: 3000 };
      return notifyAll(await start({ ...shape, env }), subscribers, options);
    });
  } finally {
    await subscribers.close();
  }
}

async function notifyAll(
  installation: Installation,
  subscribers: Subscribers,
  options: NotificationOptions,
): Promise<NotificationReport> {
  const { say } = options;
  const url = () => installation.apis.find((api) => api.url)?.url ?? '';
  for (let number = 1; number <= SUBSCRIBERS; number += 1) {
    await subscribers.join(`subscriber-${number}`, url(), installation.apiKey);
  }
  const load = startLoad(installation, subscribers.list, options);
  const kills = await killInTurn(installation, subscribers, load, say);
  const jobs = await load;
  say(`load and kills are over: ${jobs} jobs, ${kills.length} kills`);

  const { apis, workers, notifiers } = installation;
  await waitUntilReady([...apis, ...workers, ...notifiers]);
  await waitUntilIdle(installation, say);
  const notifierKills = kills.filter(({ kind }) => kind.startsWith('notifier')).map(({ at }) => at);
  const receipts = await subscribers.receipts(url());
  const snapshot = await readNotificationSnapshot(installation.adminUrl, subscribers.list);
  return {
    ...{ driver: options.driver, seed: options.seed, jobs, subscribers: SUBSCRIBERS },
    jobEvents: snapshot.events.filter(({ type }) => type.startsWith('job.')).length,
    ...subscribers.mails(),
    kills: countBy(kills.map(({ kind }) => kind)),
    ...auditNotifications({ ...snapshot, receipts, notifierKills }),
  };
}

/**
 * Posts jobs of all subscribers, in small batches, until there are enough; returns how many. Some
 * are cancelled, fail or are retried.
 */
async function startLoad(
  installation: Installation,
  listeners: RegisteredSubscriber[],
  { seed, events, jobsPerSecond }: NotificationOptions,
): Promise<number> {
  const journal = createJournal(join(installation.folder, 'journal.jsonl'));
  const expired = new AbortController();
  const clients = listeners.map((listener) => ({
    listener,
    client: createClient({ ...installation, apiKey: listener.key }, journal, expired.signal),
  }));
  const wanted = Math.ceil(events / EVENTS_A_JOB);
  const post = async (batch: number) => {
    const turn = clients[batch % clients.length];
    if (!turn) throw new Error('no client to post');
    await postBatch(installation, turn, `${seed}-${batch}`, createRandom(seed, `batch-${batch}`));
  };
  const underWay = new Set<Promise<unknown>>();
  let posted = 0;
  for (let batch = 0; posted < wanted; batch += 1) {
    await untilRoom(installation);
    const posting = post(batch).finally(() => underWay.delete(posting));
    underWay.add(posting);
    posted += BATCH;
    await delay((1000 * BATCH) / jobsPerSecond);
  }
  await Promise.all(underWay);
  return posted;
}

async function postBatch(
  installation: Installation,
  { listener, client }: { listener: RegisteredSubscriber; client: ChaosClient },
  key: string,
  random: Random,
): Promise<void> {
  const jobs = Array.from({ length: BATCH }, (_, index) => {
    const script = scriptFor(random, key, index);
    return {
      urls: installation.site.urlsOf(script, 1),
      ...{ formats: ['markdown'], max_attempts: 5, metadata: { chaos: script } },
      webhook_url: listener.jobWebhookUrl,
    };
  });
  const ids = await client.post(key, jobs);
  const [first] = ids ?? [];
  if (first && random.chance(0.2)) await client.change('cancel', first);
}

function scriptFor(random: Random, key: string, index: number): JobScript {
  const kind = random.next();
  const end = kind < 0.1 ? 'fail' : kind < 0.2 ? 'retry_once' : 'complete';
  return { key, index, end, ms: random.int(5, 60), bad: null };
}

const untilRoom = ({ adminUrl }: Installation): Promise<boolean> =>
  waitFor(async () => (await unfinished(adminUrl)) < MOST_UNFINISHED, {
    ...{ timeoutMs: 120_000, everyMs: 500, what: 'room for more jobs' },
  });

interface Kill {
  kind: string;
  at: number;
}

/**
 * One after the other, each followed by a pause, until the load is over and each kind came at least
 * once.
 */
async function killInTurn(
  installation: Installation,
  subscribers: Subscribers,
  load: Promise<number>,
  say: (line: string) => void,
): Promise<Kill[]> {
  const { notifiers, apis, broker, postgres } = installation;
  const kills: Kill[] = [];
  const killOne = async (members: Member[]) => {
    const member = members[kills.length % members.length];
    if (!member) throw new Error('no process to kill');
    const at = Date.now();
    const ended = member.ends(15_000);
    member.signal('SIGKILL');
    await ended;
    await waitUntilReady([member]);
    return at;
  };
  const restarted = async (server: { kill(): Promise<void>; start(): Promise<void> }) => {
    const at = Date.now();
    await server.kill();
    await delay(1500);
    await server.start();
    return at;
  };
  const trapped = (channel: 'email' | 'webhook') => async () => {
    let killedAt: number | undefined;
    const ended = notifiers.map((notifier) => notifier.ends(TRAP_MS));
    // Synchronously: not a byte of an answer may leave before.
    subscribers.trap(channel, () => {
      for (const notifier of notifiers) notifier.signal('SIGKILL');
      killedAt = Date.now();
    });
    await Promise.all(ended);
    subscribers.disarm();
    await waitUntilReady(notifiers);
    return killedAt;
  };
  const turns: [kind: string, run: () => Promise<number | undefined>][] = [
    ['notifier_killed', () => killOne(notifiers)],
    ['api_killed', () => killOne(apis)],
    broker ? ['broker_killed', () => restarted(broker)] : ['postgres_killed', () => restarted(postgres)],
    ['notifier_killed_by_mail_server', trapped('email')],
    ['notifier_killed_by_webhook', trapped('webhook')],
  ];
  let over = false;
  void load.then(
    () => {
      over = true;
    },
    () => {
      over = true;
    },
  );
  for (let turn = 0; !over; turn += 1) {
    const [kind, run] = turns[turn % turns.length] ?? [];
    if (!kind || !run) break;
    await delay(BETWEEN_MS);
    const begun = Date.now();
    const at = await run();
    if (at !== undefined) kills.push({ kind, at });
    const took = `${((Date.now() - begun) / 1000).toFixed(1)} s`;
    say(at === undefined ? `${kind}: nothing came by in ${took}` : `${kind}, ${took}`);
  }
  return kills;
}

const BETWEEN_MS = 1500;
const TRAP_MS = 10_000;

/**
 * Waits until every job has ended, every event is fanned out and every message is sent, or a
 * timeout.
 */
async function waitUntilIdle(installation: Installation, say: (line: string) => void): Promise<void> {
  const { adminUrl } = installation;
  const queues = [JOB_NOTIFICATIONS, URGENT_NOTIFICATIONS, ...Object.values(CHANNEL_QUEUES)];
  const rest = async (what: string, count: () => Promise<number>) => {
    const done = async () => (await count()) === 0;
    const rested = await waitFor(done, { timeoutMs: QUIET_MS, everyMs: 500 }).catch(() => false);
    if (!rested) say(`no rest: ${what}`);
  };
  await rest('jobs are unfinished', () => unfinished(adminUrl));
  await rest('events are unpublished', () => unpublished(adminUrl));
  await rest('notifications are not fanned out', () => countMessages(installation, queues.slice(0, 2)));
  await rest('deliveries are open', () => openDeliveries(adminUrl));
  await rest('messages are left', () => countMessages(installation, queues));
}

const openDeliveries = (adminUrl: string): Promise<number> =>
  asAdmin(adminUrl, async (admin) => {
    const { rows } = await admin.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM deliveries WHERE status IN ('queued', 'sending')`,
    );
    return rows[0]?.count ?? 0;
  });

function countBy(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

export function formatNotifications(report: NotificationReport): string {
  const columns = ['expected', 'received', 'missing', 'doubled', 'repeats'] as const;
  const cells = (texts: string[]) => texts.map((text) => text.padStart(10)).join('');
  const kills = Object.entries(report.kills).map(([kind, count]) => `${kind} ${count}`);
  const lines = [
    '',
    `notifications on ${report.driver}, seed ${report.seed}`,
    `  events      ${report.jobEvents} of ${report.jobs} jobs, for ${report.subscribers} subscribers`,
    `  mails       ${report.mails}, ${report.mailCopies} of them copies under the same Message-ID`,
    `  kills       ${kills.join(', ')}`,
    '',
    `  ${'way'.padEnd(12)}${cells([...columns])}`,
    ...report.tallies.map(
      (tally) => `  ${tally.way.padEnd(12)}${cells(columns.map((column) => String(tally[column])))}`,
    ),
    '',
    `  repeats came under the id they had before; violations ${report.violations.length}`,
    ...report.violations.slice(0, 30).map(({ kind, detail }) => `  VIOLATION ${kind}: ${detail}`),
  ];
  return `${lines.join('\n')}\n`;
}
