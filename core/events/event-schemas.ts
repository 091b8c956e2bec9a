import { z } from 'zod';
import { JOB_STATUSES, OUTCOME_KINDS } from '../jobs/job-status.ts';
import { CLICK_KINDS } from '../links/link.ts';

/**
 * The `data` of each event: the single source of the event types, their TypeScript types and the
 * table in `docs/reference/events.md`. Ids and facts only, never page bodies. Every job event has at least
 * `job_id`, `status` and `attempt`.
 *
 * Adding a field raises the minor number of `EVENT_VERSION`; removing one or changing its meaning
 * the major number.
 */

const moment = z.iso.datetime({ offset: true });
const error = z.object({ code: z.string(), message: z.string() });
const counts = z.object({ pages: z.int(), leads: z.int(), errors: z.int() });

const aboutJob = { job_id: z.uuid(), status: z.enum(JOB_STATUSES), attempt: z.int() };
/** How a run or the job ended, or why it waits again. */
const settled = z.object({
  ...aboutJob,
  outcome: z.enum([...OUTCOME_KINDS, 'retry_requested']),
  /** When the job is due; null unless it is `retrying`. */
  run_at: moment.nullable(),
  counts,
  error: error.nullable(),
});
const aboutKey = z.object({ key_id: z.uuid(), name: z.string() });
const aboutLink = { link_id: z.uuid(), code: z.string(), url: z.string() };
const aboutNotification = z.object({
  /** Id of the delivery; for `in_app`, of the notification. */
  notification_id: z.string(),
  /** `in_app`, `email`, `push` or `webhook`. */
  channel: z.string(),
  /** Id of the source event; null if there is none. */
  event_id: z.string().nullable(),
  event_type: z.string(),
  job_id: z.uuid().nullable(),
  /** Id of the webhook; null for other channels. */
  webhook_id: z.uuid().nullable(),
  /** Attempt of its delivery, from 1. */
  attempt: z.int(),
});

export const EVENT_SCHEMAS = {
  'user.registered': z.object({ user_id: z.uuid(), email: z.string(), name: z.string() }),
  'user.key_issued': aboutKey,
  'user.key_revoked': aboutKey,
  'job.created': z.object({ ...aboutJob, priority: z.int() }),
  'job.started': z.object({ ...aboutJob, worker: z.string() }),
  'job.progress': z.object({
    ...aboutJob,
    done: z.int(),
    total: z.int(),
    message: z.string().nullable(),
    counts,
  }),
  'job.requeued': settled,
  'job.retrying': settled,
  'job.completed': settled,
  'job.failed': settled,
  'job.cancelled': settled,
  'lead.found': z.object({
    job_id: z.uuid(),
    lead_id: z.string(),
    company: z.string().nullable(),
    domain: z.string().nullable(),
    website: z.string().nullable(),
  }),
  'link.created': z.object(aboutLink),
  'link.changed': z.object(aboutLink),
  'link.deleted': z.object(aboutLink),
  'link.clicked': z.object({
    ...aboutLink,
    kind: z.enum(CLICK_KINDS),
    /** 16 hex digits, equal per visitor, link and day; null if the visitor opts out of tracking. */
    visitor: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .nullable(),
    /** Host only. */
    referrer: z.string().nullable(),
    user_agent: z.string().nullable(),
    /** ISO 3166-1 alpha-2, from `Accept-Language`. */
    country: z.string().nullable(),
  }),
  'notification.delivered': aboutNotification,
  'notification.failed': aboutNotification.extend({ error }),
} satisfies Record<string, z.ZodObject>;

export type EventType = keyof typeof EVENT_SCHEMAS;
export type EventData<Type extends EventType> = z.infer<(typeof EVENT_SCHEMAS)[Type]>;
