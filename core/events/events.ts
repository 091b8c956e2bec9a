import { EVENT_SCHEMAS, type EventData, type EventType } from './event-schemas.ts';

export type { EventData, EventType } from './event-schemas.ts';

/** Every domain event there is. The part before the dot names the domain. */
export const EVENT_TYPES = Object.keys(EVENT_SCHEMAS) as EventType[];
const isEventType = (type: string): type is EventType => Object.hasOwn(EVENT_SCHEMAS, type);

/** Version of every event's `data`, major.minor: consumers accept a newer minor. */
export const EVENT_VERSION = '1.0';

/** Events after which a job stays as it is, unless its user asks for a retry. */
const LAST_OF_JOB: ReadonlySet<string> = new Set<EventType>(['job.completed', 'job.failed', 'job.cancelled']);
export const endsJob = (type: string): boolean => LAST_OF_JOB.has(type);

/** An event as the ledger keeps it. */
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

/** What a consumer made of an event it was sent. */
export type ReadEvent =
  | { kind: 'event'; event: KnownEvent }
  /** Of a newer program, and none of this consumer's business: acknowledge and log it. */
  | { kind: 'unknown_type'; type: string }
  /** Another major version: its fields mean something else. */
  | { kind: 'unsupported_version'; version: string }
  | { kind: 'broken'; reason: string };

/** `switch (event.type)` gives `event.data` its type. */
export type KnownEvent = { [Type in EventType]: { type: Type; data: EventData<Type> } }[EventType];

/**
 * Reads the event in an envelope, whatever brought it: a queue, a stream, the ledger. A newer minor version is read as the one
 * known here, and fields that are not known here are left out.
 */
export function readEvent(envelope: { type: string; version: string; data: unknown }): ReadEvent {
  const { type, version } = envelope;
  if (!isEventType(type)) return { kind: 'unknown_type', type };
  if (majorOf(version) !== majorOf(EVENT_VERSION)) return { kind: 'unsupported_version', version };
  const parsed = EVENT_SCHEMAS[type].safeParse(envelope.data);
  if (parsed.success) return { kind: 'event', event: { type, data: parsed.data } as KnownEvent };
  const issue = parsed.error.issues[0];
  return { kind: 'broken', reason: `${type}: ${issue?.path.join('.')}: ${issue?.message}` };
}

const majorOf = (version: string): string => version.split('.', 1)[0] ?? '';
