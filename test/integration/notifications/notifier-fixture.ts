import { expect } from '@jest/globals';
import { generateVapidKeys, type VapidKeys } from '../../../core/notifications/vapid.ts';
import { unsubscribeKey } from '../../../db/secrets/installation-secrets.ts';
import { statement } from '../../../db/statement.ts';
import { createDispatch } from '../../../dispatch/dispatch.ts';
import { createEmbeddedQueue } from '../../../queue/embedded.ts';
import type { Queue } from '../../../queue/queue.ts';
import { createRabbitQueue } from '../../../queue/rabbitmq.ts';
import { TOPOLOGY } from '../../../queue/topology.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { type NotifyConfig, parseConfig } from '../../../runtime/settings/config.ts';
import { createEgressGuard } from '../../../scraping/egress/guard.ts';
import { createHttpClient } from '../../../scraping/http/client.ts';
import type { Channel } from '../../../workers/notifier/channel.ts';
import { createEmailChannel } from '../../../workers/notifier/channels/email.ts';
import { createPushChannel } from '../../../workers/notifier/channels/push.ts';
import { createWebhookChannel } from '../../../workers/notifier/channels/webhook.ts';
import { createJobUrls } from '../../../workers/notifier/job-urls.ts';
import { createNotifier } from '../../../workers/notifier/notifier.ts';
import type { Driver } from '../../support/processes/fleet.ts';
import { createVhost } from '../../support/servers/broker.ts';
import { type Mailbox, startMailbox } from '../../support/servers/mailbox.ts';
import { type Receiver, startReceiver } from '../../support/servers/receiver.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type Ask, run, startApi, type TestApi } from '../api/api-fixture.ts';

/**
 * API, scheduler and notifier as they run in production, with a mail server and an HTTP server of
 * our own as receivers.
 */
export interface TestNotifier {
  api: TestApi;
  queue: Queue;
  receiver: Receiver;
  mailbox: Mailbox;
  vapid: VapidKeys;
  /** Subscribes; the answer must be 201. */
  subscribe(body: Record<string, unknown>, key?: string): Promise<Record<string, string>>;
  /** Runs a job to its end, as a worker would; returns its id. */
  end(outcome: 'completed' | 'failed', spec?: Record<string, unknown>, key?: string): Promise<string>;
  /** The API's answer, which must be a success. */
  get(path: string, key?: string): ReturnType<TestApi['ask']>;
  /** Waits until all notifications so far are sent, or have failed permanently. */
  settled(): Promise<void>;
  startNotifier(): Promise<{ stop(): Promise<void> }>;
  stop(): Promise<void>;
}

const COUNT_OPEN = statement(
  'test_count_open_deliveries',
  "SELECT count(*)::int AS open FROM deliveries WHERE status IN ('queued', 'sending')",
);

export async function startNotifying(
  options: {
    driver?: Driver;
    /** Of a broker of the test's own. */
    brokerUrl?: string;
    notify?: Partial<NotifyConfig>;
    /** Of the notifier. The API takes every address, so that the notifier's own check is seen. */
    egressAllow?: string[];
    /** False: the test starts it. */
    notifier?: boolean;
    leaseMs?: number;
    graceMs?: number;
  } = {},
): Promise<TestNotifier> {
  const [receiver, mailbox] = await Promise.all([startReceiver(), startMailbox()]);
  const api = await startApi({ smtpUrl: mailbox.url, egressAllow: ['0.0.0.0/0', '::/0'] });
  const databaseUrl = api.databaseUrl;
  const { notify: defaults } = parseConfig({ SMTP_URL: mailbox.url });
  const quick = { baseMs: 20, capMs: 50 };
  const notify: NotifyConfig & { smtpUrl: string } = {
    ...defaults,
    ...{ retry: quick, webhookRetry: quick, webhookAttempts: 3 },
    mailPace: { gatherMs: 0, apartMs: 0, urgentApartMs: 0 },
    ...options.notify,
    smtpUrl: mailbox.url,
  };
  const broker =
    options.driver === 'rabbitmq' ? { url: options.brokerUrl ?? (await createVhost()).url } : undefined;
  const openQueue = (): Queue =>
    broker
      ? createRabbitQueue({
          url: broker.url,
          ...{ heartbeatSeconds: 15, connectionTimeoutMs: 10_000, connectionName: 'notifier-test' },
          ...{ topology: TOPOLOGY, logger: silentLogger },
        })
      : createEmbeddedQueue({ databaseUrl, topology: TOPOLOGY, logger: silentLogger, leaseMs: 5000 });
  const queue = openQueue();
  await queue.start();
  const dispatch = createDispatch({
    ...{
      database: api.database,
      queue,
      logger: silentLogger,
      retentionDays: 30,
      auditRetentionDays: 365,
      runsLoops: true,
    },
    retry: { baseMs: 1000, capMs: 1000 },
    mailPace: notify.mailPace,
  });
  dispatch.start();

  const vapid = generateVapidKeys();
  const guard = createEgressGuard({ allow: options.egressAllow ?? ['127.0.0.1'], logger: silentLogger });
  const http = createHttpClient({ guard, logger: silentLogger, userAgent: 'LeadEngine-Webhooks/1.0' });
  const stops: (() => Promise<void>)[] = [];
  const startNotifier = async () => {
    const own = openQueue();
    await own.start();
    const jobUrls = createJobUrls({
      sql: api.database,
      publicUrl: 'https://leads.example',
      logger: silentLogger,
    });
    const channels: Channel[] = [
      createEmailChannel({
        ...{ config: notify, publicUrl: 'https://leads.example', jobUrls },
        unsubscribeKey: await unsubscribeKey(api.database),
      }),
      createPushChannel({ http, config: notify, keys: vapid, jobUrls }),
      createWebhookChannel(http, notify),
    ];
    const notifier = createNotifier({
      ...{ database: api.database, queue: own, channels, mailPace: notify.mailPace, logger: silentLogger },
      rule: { pauseAfterMs: notify.webhookPauseAfterMs, mail: true },
      ...{ leaseMs: options.leaseMs ?? 15_000, shutdownGraceMs: options.graceMs ?? 5000 },
    });
    await notifier.start();
    const stop = async () => {
      await notifier.stop();
      for (const channel of channels) channel.stop?.();
      await own.stop();
    };
    stops.push(stop);
    return { stop };
  };
  if (options.notifier !== false) await startNotifier();

  const get = async (path: string, key?: string) => {
    const answer = await api.ask('GET', `/api/v1${path}`, key ? { key } : {});
    expect(answer.status).toBe(200);
    return answer;
  };
  const subscribe: TestNotifier['subscribe'] = async (body, key) => {
    const ask: Ask = key ? { body, key } : { body };
    const answer = await api.ask('POST', '/api/v1/subscriptions', ask);
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
    return answer.json;
  };
  const end: TestNotifier['end'] = async (outcome, spec = {}, key) => {
    const id = await api.submit({ urls: ['https://example.com/'], ...spec }, key);
    const error = { code: 'dns_failed', message: 'no such host' };
    await run(api.database, id, outcome === 'completed' ? { kind: 'completed' } : { kind: 'fail', error });
    return id;
  };
  let probe: Promise<string> | undefined;

  return {
    ...{ api, queue, receiver, mailbox, vapid, get, startNotifier, subscribe, end },
    settled: async () => {
      // Events are fanned out in order: once the last one is in the app of a user who subscribes to
      // all, the others are done too.
      probe ??= api.addUser().then(async ({ key }) => {
        await subscribe({ events: ['job.completed'], channel: 'in_app' }, key);
        return key;
      });
      const key = await probe;
      const last = await end('completed', {}, key);
      const isTold = async () => {
        const { json } = await get('/notifications?limit=1', key);
        return json.notifications[0]?.job_id === last;
      };
      await waitFor(isTold, { what: 'all to be fanned out', everyMs: 50 });
      const isSent = async () => (await api.database.query(COUNT_OPEN))[0]?.open === 0;
      await waitFor(isSent, { what: 'all to be sent', everyMs: 50 });
    },
    stop: async () => {
      for (const stop of stops) await stop();
      await dispatch.stop();
      await queue.stop();
      await http.stop();
      await api.stop();
      await Promise.all([receiver.close(), mailbox.close()]);
    },
  };
}
