import { randomUUID } from 'node:crypto';
import { z } from 'zod';

/** What every message carries around its data. JSON, UTF-8; `id` is also the AMQP `message_id`. */
export interface Envelope<Data = Record<string, unknown>> {
  id: string;
  type: string;
  /** major.minor of `data`; a consumer accepts newer minors and ignores fields it does not know. */
  version: string;
  /** ISO 8601, UTC. */
  occurred_at: string;
  source: string;
  correlation_id: string;
  user_id: string | null;
  data: Data;
}

/** Larger data stays in Postgres. */
const MAX_MESSAGE_BYTES = 100 * 1024;

const schema = z.object({
  id: z.string().min(1).max(200),
  type: z.string().min(1).max(200),
  version: z.string().regex(/^\d+\.\d+$/),
  occurred_at: z.string(),
  source: z.string(),
  correlation_id: z.string(),
  user_id: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
});

export function createEnvelope<Data>(
  fields: Pick<Envelope<Data>, 'type' | 'version' | 'source' | 'correlation_id' | 'user_id' | 'data'> &
    Partial<Pick<Envelope, 'id' | 'occurred_at'>>,
): Envelope<Data> {
  return {
    id: fields.id ?? randomUUID(),
    type: fields.type,
    version: fields.version,
    occurred_at: fields.occurred_at ?? new Date().toISOString(),
    source: fields.source,
    correlation_id: fields.correlation_id,
    user_id: fields.user_id,
    data: fields.data,
  };
}

/**
 * Encodes a message's body.
 * @throws RangeError over `MAX_MESSAGE_BYTES`: no consumer would read it
 */
export function encodeEnvelope(envelope: Envelope): Buffer {
  const body = Buffer.from(JSON.stringify(envelope));
  if (body.length > MAX_MESSAGE_BYTES) {
    throw new RangeError(`message ${envelope.id} has ${body.length} bytes, at most ${MAX_MESSAGE_BYTES} fit`);
  }
  return body;
}

export type ParsedEnvelope = { ok: true; envelope: Envelope } | { ok: false; reason: string };

/** Parses a message's body. The driver dead-letters what does not parse, with this reason. */
export function parseEnvelope(body: Buffer): ParsedEnvelope {
  if (body.length > MAX_MESSAGE_BYTES) {
    return { ok: false, reason: `message of ${body.length} bytes, at most ${MAX_MESSAGE_BYTES} are read` };
  }
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return { ok: false, reason: 'message is not JSON' };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, envelope: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, reason: `envelope: ${issue?.path.join('.')}: ${issue?.message}` };
}
