/** Every domain event there is. The part before the dot names the domain and so the exchange (`job` -> `job_events`). */
export const EVENT_TYPES = [
  'user.registered',
  'user.key_issued',
  'user.key_revoked',
  'job.created',
  'job.started',
  'job.requeued',
  'job.retrying',
  'job.completed',
  'job.failed',
  'job.cancelled',
  'notification.delivered',
  'notification.failed',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** An event as the ledger keeps it. `data` is small: ids and facts, never page bodies. */
export interface DomainEvent {
  id: string;
  type: EventType;
  version: string;
  occurred_at: Date;
  user_id: string | null;
  job_id: string | null;
  correlation_id: string;
  data: Record<string, unknown>;
}

/** Version of every event's `data`, major.minor: consumers accept a newer minor. */
export const EVENT_VERSION = '1.0';
