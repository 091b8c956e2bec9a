import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../runtime/log/logger.ts';
import { parseEnvelope } from './envelope.ts';
import type { ConsumeOptions, Handler, HandlerOutcome } from './queue.ts';

/** A message as a driver receives it: its bytes and the broker's metadata. */
export interface RawMessage {
  queue: string;
  body: Buffer;
  redelivered: boolean;
  signal: AbortSignal;
}

/**
 * Without it, a handler that always throws is called about 1,000 times per second (on RabbitMQ).
 */
const PAUSE_AFTER_THROW_MS = 1000;

/** Both drivers' delivery: parse a message, call the handler, return the outcome. Never rejects. */
export async function deliver(
  message: RawMessage,
  handler: Handler,
  onUnreadable: ConsumeOptions['onUnreadable'],
  logger: Logger,
): Promise<HandlerOutcome> {
  const { queue, redelivered, signal } = message;
  const parsed = parseEnvelope(message.body);
  if (!parsed.ok) {
    const { reason } = parsed;
    logger.warn('message_unparseable', { queue, reason });
    await onUnreadable?.({ queue, body: message.body, reason }).catch((error) =>
      logger.error('unreadable_message_not_kept', { queue, reason, error }),
    );
    return { kind: 'dead_letter', reason };
  }
  const { envelope } = parsed;
  try {
    const outcome = await handler({ queue, envelope, redelivered, signal });
    if (outcome.kind === 'dead_letter') {
      logger.warn('message_dead_lettered', { queue, message_id: envelope.id, reason: outcome.reason });
    }
    return outcome;
  } catch (error) {
    logger.error('handler_failed', { queue, message_id: envelope.id, type: envelope.type, error });
    await sleep(PAUSE_AFTER_THROW_MS);
    return { kind: 'requeue' };
  }
}
