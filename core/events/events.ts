import { EVENT_SCHEMAS, type EventData, type EventType } from './event-schemas.ts';

export type { EventData, EventType } from './event-schemas.ts';

/** All domain events. The part before the dot is the domain. */
export const EVENT_TYPES = Object.keys(EVENT_SCHEMAS) as EventType[];
const isEventType = (type: string): type is EventType => Object.hasOwn(EVENT_SCHEMAS, type);

/** Version of every event's `data`, major.minor: consumers accept a newer minor. */
export const EVENT_VERSION = '1.0';

/** Events that end a job, unless its user retries it. */
const LAST_OF_JOB: ReadonlySet<string> = new Set<EventType>(['job.completed', 'job.failed', 'job.cancelled']);
export const endsJob = (type: string): boolean => LAST_OF_JOB.has(type);

/** An event in the ledger. */
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

/** The result of reading an event. */
export type ReadEvent =
  | { kind: 'event'; event: KnownEvent }
  /** A type of a newer version: acknowledge and log it. */
  | { kind: 'unknown_type'; type: string }
  /** Another major version, whose fields have other meanings. */
  | { kind: 'unsupported_version'; version: string }
  | { kind: 'broken'; reason: string };

/** A union, so that `switch (event.type)` narrows `event.data`. */
export type KnownEvent = { [Type in EventType]: { type: Type; data: EventData<Type> } }[EventType];

/**
 * Reads the event in an envelope from a queue, a stream or the ledger. A newer minor version is
 * read as the known one, without its unknown fields.
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
