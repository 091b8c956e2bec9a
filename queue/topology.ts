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
export const LINK_CLICKS = 'link_clicks';

/** The exchange of an event: `job.created` goes to `job_events`, `notification.delivered` to `notifications`. */
export const eventExchange = (type: string): string => {
  const domain = type.slice(0, type.indexOf('.'));
  return domain === 'notification' ? NOTIFICATIONS : `${domain}_events`;
};

const notificationQueue = (name: string, ...patterns: string[]): QueueDeclaration[] => [
  {
    name,
    deadLetter: `${name}.dead`,
    bindings: patterns.map((pattern) => ({ exchange: NOTIFICATIONS, pattern })),
  },
  deadLetterQueue(`${name}.dead`),
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
    { name: SCRAPE_JOBS, deadLetter: FAILED_JOBS, bindings: [] },
    deadLetterQueue(FAILED_JOBS),
    ...notificationQueue('job_notifications', 'notification.job.*', 'notification.job.*.retry'),
    ...notificationQueue('email_notifications', 'notification.email.send'),
    ...notificationQueue('push_notifications', 'notification.push.send'),
    ...notificationQueue('webhook_notifications', 'notification.webhook.send'),
    {
      name: LINK_CLICKS,
      deadLetter: `${LINK_CLICKS}.dead`,
      bindings: [{ exchange: 'link_events', pattern: 'link.clicked' }],
    },
    deadLetterQueue(`${LINK_CLICKS}.dead`),
  ],
};
