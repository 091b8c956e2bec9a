import { z } from 'zod';
import { JOB_STATUSES, OUTCOME_KINDS } from '../jobs/job-status.ts';
import { CLICK_KINDS } from '../links/link.ts';

/**
 * What the `data` of each event holds: the one source of the event types, of their TypeScript types and of the table in
 * `docs/reference/events.md`. Ids and facts only, never page bodies. Of a job every event has at least `job_id`, `status` and `attempt`.
 *
 * A field that is added raises the minor number of `EVENT_VERSION`; one that goes or changes its meaning the major one.
 */

const moment = z.iso.datetime({ offset: true });
const error = z.object({ code: z.string(), message: z.string() });
const counts = z.object({ pages: z.int(), leads: z.int(), errors: z.int() });

const aboutJob = { job_id: z.uuid(), status: z.enum(JOB_STATUSES), attempt: z.int() };
/** How a run or the job itself ended, or why it waits again. */
const settled = z.object({
  ...aboutJob,
  outcome: z.enum([...OUTCOME_KINDS, 'retry_requested']),
  /** When it is due; null unless it is `retrying`. */
  run_at: moment.nullable(),
  counts,
  error: error.nullable(),
});
const aboutKey = z.object({ key_id: z.uuid(), name: z.string() });
const aboutLink = { link_id: z.uuid(), code: z.string(), url: z.string() };
const aboutNotification = z.object({
  /** Of the delivery; in the app of the notification. */
  notification_id: z.string(),
  /** `in_app`, `email`, `push` or `webhook`. */
  channel: z.string(),
  /** Of the event it tells; null where it tells none. */
  event_id: z.string().nullable(),
  event_type: z.string(),
  job_id: z.uuid().nullable(),
  /** Of the endpoint, where it went to one. */
  webhook_id: z.uuid().nullable(),
  /** Of its delivery, from 1. */
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
    /** The same for the same visitor of the same link on the same day; null where they asked not to be tracked. 16 hex digits. */
    visitor: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .nullable(),
    /** Host alone. */
    referrer: z.string().nullable(),
    user_agent: z.string().nullable(),
    /** ISO 3166-1 alpha-2, by the language asked for. */
    country: z.string().nullable(),
  }),
  'notification.delivered': aboutNotification,
  'notification.failed': aboutNotification.extend({ error }),
} satisfies Record<string, z.ZodObject>;

export type EventType = keyof typeof EVENT_SCHEMAS;
export type EventData<Type extends EventType> = z.infer<(typeof EVENT_SCHEMAS)[Type]>;
