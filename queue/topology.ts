/**
 * Every exchange, queue and binding, declared once and made by both drivers. Only what must never change stands here: an
 * argument that differs from what a broker already has closes the channel, so tunable things (lengths, times to live)
 * belong in the operator's policies.
 */
export interface QueueDeclaration {
  name: string;
  /** Where rejected messages go: the exchange `dlx` with this routing key. */
  deadLetter?: string;
  bindings: { exchange: string; pattern: string }[];
  /** What it holds is told again, by whoever publishes to it or by its consumer: a queue that is broken may be made anew. */
  isRebuildable?: boolean;
}

export interface Topology {
  /** All are durable topic exchanges but `dlx`, which is direct. */
  exchanges: { name: string; type: 'topic' | 'direct' }[];
  queues: QueueDeclaration[];
}

export const SCRAPE_JOBS = 'scrape_jobs';
export const FAILED_JOBS = 'failed_jobs';
export const DEAD_LETTER_EXCHANGE = 'dlx';
export const NOTIFICATIONS = 'notifications';
export const JOB_NOTIFICATIONS = 'job_notifications';
/** Quorum queues have no priorities: what is urgent has a lane of its own. It is in both, and whichever comes second tells nobody. */
export const URGENT_NOTIFICATIONS = 'urgent_notifications';
export const CHANNEL_QUEUES = {
  email: 'email_notifications',
  push: 'push_notifications',
  webhook: 'webhook_notifications',
} as const;
/** Rings a channel's queue: `notification.email.send`. */
export const sendKey = (channel: keyof typeof CHANNEL_QUEUES): string => `notification.${channel}.send`;
export const deadLettersOf = (queue: string): string => `${queue}.dead`;
export const LINK_CLICKS = 'link_clicks';

/** The exchange of an event: `job.created` goes to `job_events`, `notification.delivered` to `notifications`. */
export const eventExchange = (type: string): string => {
  const domain = type.slice(0, type.indexOf('.'));
  return domain === 'notification' ? NOTIFICATIONS : `${domain}_events`;
};

/** Deliveries are rung for again, and the fan-out goes back to the ledger: all of them may be made anew. */
const notificationQueue = (name: string, ...patterns: string[]): QueueDeclaration[] => [
  {
    name,
    isRebuildable: true,
    deadLetter: deadLettersOf(name),
    bindings: patterns.map((pattern) => ({ exchange: NOTIFICATIONS, pattern })),
  },
  deadLetterQueue(deadLettersOf(name)),
];

const deadLetterQueue = (name: string): QueueDeclaration => ({
  name,
  bindings: [{ exchange: DEAD_LETTER_EXCHANGE, pattern: name }],
});

export const TOPOLOGY: Topology = {
  exchanges: [
    { name: DEAD_LETTER_EXCHANGE, type: 'direct' },
    ...['user_events', 'job_events', 'lead_events', 'link_events', NOTIFICATIONS].map(
      (name) => ({ name, type: 'topic' }) as const,
    ),
  ],
  queues: [
    { name: SCRAPE_JOBS, deadLetter: FAILED_JOBS, bindings: [], isRebuildable: true },
    deadLetterQueue(FAILED_JOBS),
    ...notificationQueue(
      JOB_NOTIFICATIONS,
      'notification.job.*',
      'notification.job.*.retry',
      'notification.lead.*',
    ),
    ...notificationQueue(URGENT_NOTIFICATIONS, 'notification.job.failed'),
    ...notificationQueue(CHANNEL_QUEUES.email, sendKey('email')),
    ...notificationQueue(CHANNEL_QUEUES.push, sendKey('push')),
    ...notificationQueue(CHANNEL_QUEUES.webhook, sendKey('webhook')),
    {
      name: LINK_CLICKS,
      deadLetter: `${LINK_CLICKS}.dead`,
      bindings: [{ exchange: 'link_events', pattern: 'link.clicked' }],
    },
    deadLetterQueue(`${LINK_CLICKS}.dead`),
  ],
};
