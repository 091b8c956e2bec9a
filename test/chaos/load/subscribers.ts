import { createECDH, randomBytes } from 'node:crypto';
import { decrypt } from 'http_ece';
import { startMailbox } from '../../support/servers/mailbox.ts';
import { startReceiver } from '../../support/servers/receiver.ts';
import {
  eventName,
  mailName,
  NOTIFIED_TYPES,
  type Receipt,
  type Subscriber,
} from '../audit/audit-notifications.ts';

/**
 * The subscribers: each has an address on a real mail server, an endpoint, another one named by
 * their jobs, a browser on a push service that decrypts, and the app. All receipts are kept.
 */
export interface Subscribers {
  /** For the processes of the installation. */
  env: Record<string, string>;
  list: RegisteredSubscriber[];
  /**
   * Creates a user who subscribes to everything on every channel, some of it twice; each is
   * notified once all the same.
   */
  join(name: string, apiUrl: string, adminKey: string): Promise<RegisteredSubscriber>;
  /** All receipts so far; those of the app are fetched from `apiUrl`, a process that is up. */
  receipts(apiUrl: string): Promise<Receipt[]>;
  /** Messages at the mail server. */
  mails(): { mails: number; mailCopies: number };
  /** Calls `then` when the next message of this channel has arrived, before it is answered. */
  trap(channel: 'email' | 'webhook', then: () => void): void;
  /** Removes a trap that did not fire. */
  disarm(): void;
  close(): Promise<void>;
}

export interface RegisteredSubscriber extends Subscriber {
  key: string;
  /** The `webhook_url` of their jobs. */
  jobWebhookUrl: string;
}

/** One in this many answers is a server error; the notification must come again. */
const TROUBLE_EVERY = { webhook: 20, mail: 30 };

export async function startSubscribers(): Promise<Subscribers> {
  const [mailbox, receiver] = await Promise.all([startMailbox(), startReceiver()]);
  const list: RegisteredSubscriber[] = [];
  const browsers = new Map<string, (body: Buffer) => PushPayload>();
  let trap: { channel: string; then(): void } | undefined;
  const springs = (channel: string) => {
    if (trap?.channel !== channel) return;
    const { then } = trap;
    trap = undefined;
    then();
  };
  /** Of each request, in order. */
  const answers: { at: number; taken: boolean }[] = [];
  receiver.answer(({ path }) => {
    const taken = (answers.length + 1) % TROUBLE_EVERY.webhook !== 0;
    answers.push({ at: Date.now(), taken });
    if (taken && !path.startsWith('/push/')) springs('webhook');
    return { status: taken ? 204 : 503 };
  });
  let mails = 0;
  mailbox.judge(() => {
    mails += 1;
    if (mails % TROUBLE_EVERY.mail === 0) return 451;
    springs('email');
    return null;
  });

  /** Including refused ones: a failed attempt must have the same id as the next. */
  const requests = (): Receipt[] =>
    receiver.requests.map(({ path, headers, body }, index) => {
      const [, kind = '', subscriber = ''] = path.split('/');
      const { at = 0, taken = false } = answers[index] ?? {};
      if (kind === 'push') {
        const { id, type, job_id, occurred_at } = readPush(subscriber, body);
        return { subscriber, channel: 'push', about: eventName(type, job_id, occurred_at), id, taken, at };
      }
      const { type, timestamp, data } = JSON.parse(String(body)) as WebhookBody;
      const about = eventName(type, data.job_id, timestamp);
      const id = String(headers['webhook-id']);
      return { subscriber, channel: kind === 'job' ? 'job_webhook' : 'webhook', about, id, taken, at };
    });
  const readPush = (subscriber: string, body: Buffer): PushPayload => {
    const read = browsers.get(subscriber);
    if (!read) throw new Error(`no browser of ${subscriber}`);
    return read(body);
  };
  const mailed = (): Receipt[] =>
    mailbox.mails.flatMap(({ to_address, messageId = '', text = '', at }) =>
      itemsOf(text).map((item, place) => {
        const subscriber = list.find(({ address }) => address === to_address)?.name ?? to_address;
        const id = `${messageId} ${place}`;
        return { subscriber, channel: 'email' as const, about: mailName(item), id, taken: true, at };
      }),
    );

  return {
    env: { SMTP_URL: mailbox.url },
    list,
    join: async (name, apiUrl, adminKey) => {
      const address = `${name}@example.com`;
      const { id: userId } = await post(apiUrl, adminKey, '/users', { email: address, name });
      const { key } = await post(apiUrl, adminKey, '/keys', { name, user_id: userId });
      const { subscription, read } = browser(`${receiver.url}/push/${name}`);
      browsers.set(name, read);
      const webhook = { channel: 'webhook', target: `${receiver.url}/webhook/${name}` };
      for (const body of [
        { events: ['*'], channel: 'in_app' },
        { events: ['job.failed'], channel: 'in_app' },
        { events: NOTIFIED_TYPES.email, channel: 'email' },
        { events: ['job.failed'], channel: 'email' },
        { events: NOTIFIED_TYPES.push, channel: 'push', target: subscription },
        { events: ['*'], ...webhook },
        { events: ['job.*'], ...webhook },
      ]) {
        await post(apiUrl, String(key), '/subscriptions', body);
      }
      const jobWebhookUrl = `${receiver.url}/job/${name}`;
      const listener = { name, address, jobWebhookUrl, userId: String(userId), key: String(key) };
      list.push(listener);
      return listener;
    },
    receipts: async (apiUrl) => {
      const inApp = await Promise.all(list.map((subscriber) => readApp(apiUrl, subscriber)));
      return [...inApp.flat(), ...mailed(), ...requests()];
    },
    mails: () => {
      const { length } = mailbox.mails;
      const ids = new Set(mailbox.mails.map(({ messageId }) => messageId));
      return { mails: length, mailCopies: length - ids.size };
    },
    trap: (channel, then) => {
      trap = { channel, then };
    },
    disarm: () => {
      trap = undefined;
    },
    close: async () => {
      await Promise.all([mailbox.close(), receiver.close()]);
    },
  };
}

interface PushPayload {
  id: string;
  type: string;
  job_id: string;
  occurred_at: string;
}

interface WebhookBody {
  type: string;
  timestamp: string;
  data: { job_id: string };
}

interface AppPage {
  notifications: { id: string; type: string; job_id: string; occurred_at: string }[];
  next_cursor: string | null;
}

/** As the app does it: page by page, as its user. */
async function readApp(apiUrl: string, { name, key }: RegisteredSubscriber): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  for (let cursor = ''; ; ) {
    const response = await fetch(`${apiUrl}/api/v1/notifications?limit=200${cursor}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    if (!response.ok) throw new Error(`GET /notifications: ${response.status}`);
    const { notifications, next_cursor } = (await response.json()) as AppPage;
    for (const { id, type, job_id, occurred_at } of notifications) {
      const about = eventName(type, job_id, occurred_at);
      receipts.push({ subscriber: name, channel: 'in_app', about, id, taken: true, at: Date.now() });
    }
    if (next_cursor === null) return receipts;
    cursor = `&cursor=${encodeURIComponent(next_cursor)}`;
  }
}

/** The items of a mail, one paragraph each, without its footer. */
const itemsOf = (text: string): string[] =>
  (text.replaceAll('\r\n', '\n').split('\n\n-- \n')[0] ?? '').trim().split('\n\n');

/** What a browser creates when its user allows pushes. */
function browser(endpoint: string) {
  const privateKey = createECDH('prime256v1');
  const p256dh = privateKey.generateKeys('base64url');
  const authSecret = randomBytes(16).toString('base64url');
  return {
    subscription: { endpoint, expirationTime: null, keys: { p256dh, auth: authSecret } },
    read: (body: Buffer): PushPayload =>
      JSON.parse(String(decrypt(body, { version: 'aes128gcm', privateKey, authSecret }))),
  };
}

async function post(
  apiUrl: string,
  key: string,
  path: string,
  body: object,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${apiUrl}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`POST ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}
