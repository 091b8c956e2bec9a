/**
 * Every exchange, queue and binding, declared once for both drivers. Only properties that never
 * change are here: an argument that differs from the one a broker already has closes the channel,
 * so tunable properties (lengths, times to live) belong in the operator's policies.
 */
export interface QueueDeclaration {
  name: string;
  /** Where rejected messages go: the exchange `dlx` with this routing key. */
  deadLetter?: string;
  bindings: { exchange: string; pattern: string }[];
  /**
   * Its messages can be published or processed again from Postgres, so a broken queue may be
   * deleted and recreated.
   */
  isRebuildable?: boolean;
}

export interface Topology {
  /** All are durable topic exchanges except `dlx`, which is direct. */
  exchanges: { name: string; type: 'topic' | 'direct' }[];
  queues: QueueDeclaration[];
}

export const SCRAPE_JOBS = 'scrape_jobs';
export const FAILED_JOBS = 'failed_jobs';
export const DEAD_LETTER_EXCHANGE = 'dlx';
export const NOTIFICATIONS = 'notifications';
export const JOB_NOTIFICATIONS = 'job_notifications';
/**
 * Quorum queues have no priorities, so urgent events have a queue of their own. They are in both
 * queues; the second copy notifies no one, because fan-out is idempotent by event id.
 */
export const URGENT_NOTIFICATIONS = 'urgent_notifications';
export const CHANNEL_QUEUES = {
  email: 'email_notifications',
  push: 'push_notifications',
  webhook: 'webhook_notifications',
} as const;
/** Routing key and type of a channel's wake-up messages: `notification.email.send`. */
export const sendKey = (channel: keyof typeof CHANNEL_QUEUES): string => `notification.${channel}.send`;
export const deadLettersOf = (queue: string): string => `${queue}.dead`;
export const LINK_CLICKS = 'link_clicks';

/**
 * The exchange of an event: `job.created` goes to `job_events`, `notification.delivered` to
 * `notifications`.
 */
export const eventExchange = (type: string): string => {
  const domain = type.slice(0, type.indexOf('.'));
  return domain === 'notification' ? NOTIFICATIONS : `${domain}_events`;
};

/** Rebuildable: due deliveries are enqueued again, and the fan-out rereads the ledger. */
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
