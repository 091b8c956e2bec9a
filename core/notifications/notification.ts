import type { EventType } from '../events/events.ts';

/** Ways to reach a user or their programs. */
export const CHANNELS = ['in_app', 'email', 'push', 'webhook'] as const;
export type Channel = (typeof CHANNELS)[number];

/** The channels that send to an outside target and can fail; `in_app` is only a row. */
export const SENT_CHANNELS = ['email', 'push', 'webhook'] as const;
export type SentChannel = (typeof SENT_CHANNELS)[number];

/** The events a subscription can name. Progress and claims are only in the live stream. */
export const NOTIFIABLE = [
  'job.created',
  'job.started',
  'job.retrying',
  'job.completed',
  'job.failed',
  'job.cancelled',
  'lead.found',
] as const;
export type NotifiableType = (typeof NOTIFIABLE)[number];

const NOTIFIABLE_TYPES: ReadonlySet<string> = new Set(NOTIFIABLE);
export const isNotifiable = (type: EventType | string): type is NotifiableType => NOTIFIABLE_TYPES.has(type);

/** Urgent events overtake a backlog of others, in the fan-out and in every channel. */
const URGENT: ReadonlySet<string> = new Set(['job.failed', 'webhook.paused']);
export const isUrgent = (type: string): boolean => URGENT.has(type);

/**
 * Events that only the user can have caused. They go to webhooks, but not to the user: a mail about
 * one's own click is noise.
 */
const OWN_ACTIONS: ReadonlySet<string> = new Set(['job.created', 'job.cancelled']);
export const isOwnAction = (type: string): boolean => OWN_ACTIONS.has(type);

/** The subscription patterns that match an event type: `job.failed`, `job.*` and `*`. */
export const patternsFor = (type: string): string[] => [type, `${type.slice(0, type.indexOf('.'))}.*`, '*'];

export const EVENT_PATTERNS = [...NOTIFIABLE, 'job.*', 'lead.*', '*'] as const;

/** A notification's message type: `notification.job.completed`. */
export const notificationType = (eventType: string): string => `notification.${eventType}`;

/** The event type of a notification's message type; null if it is unknown. */
export function eventTypeOf(messageType: string): NotifiableType | null {
  const type = messageType.replace(/^notification\./, '');
  return type !== messageType && isNotifiable(type) ? type : null;
}

/** The text of one notification. */
export interface Wording {
  /** One line: a mail's subject, a push message's title. */
  title: string;
  /** One or two sentences. */
  text: string;
}

/**
 * The text for an event. `data` is the event's plus the job's `metadata`; every field may be
 * missing.
 */
export function wordingOf(type: string, data: Record<string, unknown>): Wording {
  const job = `Job ${String(data.job_id ?? '').slice(0, 8)}`;
  const counts = isRecord(data.counts) ? data.counts : {};
  const error = isRecord(data.error) ? data.error : null;
  const because = error ? `${error.message} (${error.code})` : '';
  switch (type) {
    case 'job.created':
      return { title: `${job} was accepted`, text: 'It will start as soon as a worker is free.' };
    case 'job.started':
      return { title: `${job} started`, text: `Attempt ${data.attempt ?? 1} is running.` };
    case 'job.retrying':
      return { title: `${job} is tried again`, text: because || 'The last attempt did not succeed.' };
    case 'job.completed':
      return { title: `${job} completed`, text: found(counts) };
    case 'job.failed':
      return { title: `${job} failed`, text: [because, found(counts)].filter(Boolean).join('. ') };
    case 'job.cancelled':
      return { title: `${job} was cancelled`, text: 'What it had stored until then stays.' };
    case 'lead.found': {
      const company = typeof data.company === 'string' ? data.company : data.domain;
      return { title: 'A lead was found', text: typeof company === 'string' ? company : `By ${job}.` };
    }
    case 'webhook.paused':
      return {
        title: 'A webhook was paused',
        text: `${data.url} ${data.reason === 'gone' ? 'answered that it is gone' : 'has failed for days'}; nothing more is sent to it until you resume it.`,
      };
    default:
      return { title: type, text: '' };
  }
}

function found(counts: Record<string, unknown>): string {
  const parts = (['pages', 'leads', 'errors'] as const)
    .map((name) => [Number(counts[name] ?? 0), name] as const)
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} ${count === 1 ? name.slice(0, -1) : name}`);
  return parts.length > 0 ? `It has ${parts.join(', ')}.` : '';
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
