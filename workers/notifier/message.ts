import { z } from 'zod';
import { eventTypeOf, type SentChannel } from '../../core/notifications/notification.ts';
import type { DeliveryClaim } from '../../db/notifications/deliveries/claim.ts';
import type { NotifiableEvent } from '../../db/notifications/fan-out.ts';
import type { Envelope } from '../../queue/envelope.ts';
import { sendKey } from '../../queue/topology.ts';

type Read<T> =
  | { kind: 'read'; value: T }
  /** Of a later version of this program, or not for us. */
  | { kind: 'unknown_type' }
  | { kind: 'broken'; reason: string };

const jobId = z.object({ job_id: z.uuid().nullish() });
const ring = z.object({ delivery_id: z.uuid(), attempt: z.int().min(0).max(1_000_000) });

/** The event a message of `job_notifications` tells of. */
export function readNotification(envelope: Envelope): Read<NotifiableEvent> {
  const type = eventTypeOf(envelope.type);
  if (!type) return { kind: 'unknown_type' };
  if (!envelope.version.startsWith('1.')) return wrongVersion(envelope);
  const parsed = jobId.safeParse(envelope.data);
  if (!parsed.success) return broken(parsed.error, 'data.');
  const fields = z
    .object({ id: z.uuid(), user_id: z.uuid(), occurred_at: z.iso.datetime({ offset: true }) })
    .safeParse(envelope);
  if (!fields.success) return broken(fields.error);
  const { correlation_id, data } = envelope;
  return {
    kind: 'read',
    value: { ...fields.data, type, correlation_id, data, job_id: parsed.data.job_id ?? null },
  };
}

/** The delivery a message of a channel's queue rings for. */
export function readRing(envelope: Envelope, channel: SentChannel): Read<DeliveryClaim> {
  if (envelope.type !== sendKey(channel)) return { kind: 'unknown_type' };
  if (!envelope.version.startsWith('1.')) return wrongVersion(envelope);
  const parsed = ring.safeParse(envelope.data);
  if (!parsed.success) return broken(parsed.error, 'data.');
  return { kind: 'read', value: { id: parsed.data.delivery_id, attempt: parsed.data.attempt } };
}

const wrongVersion = ({ type, version }: Envelope) =>
  ({ kind: 'broken', reason: `version ${version} of ${type} is not known here` }) as const;

function broken(error: z.ZodError, prefix = ''): { kind: 'broken'; reason: string } {
  const issue = error.issues[0];
  return { kind: 'broken', reason: `${prefix}${issue?.path.join('.')}: ${issue?.message}` };
}
