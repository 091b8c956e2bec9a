import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type KnownEvent, readEvent } from '../../core/events/events.ts';
import type { Envelope } from '../../queue/envelope.ts';
import { openQueue } from '../../queue/open.ts';
import type { HandlerOutcome, Queue } from '../../queue/queue.ts';
import { runConfigured } from '../../runtime/process/process.ts';
import type { Config } from '../../runtime/settings/config.ts';

/**
 * An example of your own service that consumes events. It has its own queue, bound to the exchange
 * of the events it wants: durable, so it misses nothing while it is stopped, and separate from
 * other consumers. Any number of its processes can run; they share the queue.
 *
 * node scripts/run.mjs scripts/examples/event-consumer.js
 *
 * It needs only the message library, with RabbitMQ and without.
 */

const QUEUE = 'example_consumer';
const BINDINGS = [{ exchange: 'job_events', pattern: 'job.*' }];

runConfigured('example', async ({ config, logger, lifecycle }) => {
  const queue = openQueue(config, await databaseUrlOf(config), logger, 'example consumer');
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });
  await declareOwnQueue(queue);
  await queue.consume(QUEUE, { prefetch: 1 }, async ({ envelope }) => {
    try {
      return await handle(envelope);
    } catch (error) {
      // An event that cannot be written must not be acknowledged, and the next one would fail too.
      lifecycle.fail(error as Error);
      return { kind: 'requeue' };
    }
  });
  process.send?.({ type: 'ready' });
});

/**
 * Without RabbitMQ the queue is in your Postgres, or in that of `npm start`, whose URL is in a
 * file.
 */
async function databaseUrlOf({ rabbitmq, databaseUrl, dataDir }: Config): Promise<string> {
  if (rabbitmq) return '';
  return databaseUrl ?? (await readFile(join(dataDir, 'database-url'), 'utf8')).trim();
}

/** Retries while the broker is starting. */
async function declareOwnQueue(queue: Queue): Promise<void> {
  for (;;) {
    try {
      return await queue.declareQueue({ name: QUEUE, bindings: BINDINGS });
    } catch (error) {
      if (queue.health().healthy) throw error;
      await pause(500);
    }
  }
}

/**
 * Ids of handled events: one may be delivered again. A real service stores them with its results.
 */
const handled = new Set<string>();

async function handle(envelope: Envelope): Promise<HandlerOutcome> {
  if (handled.has(envelope.id)) return { kind: 'ack' };
  const read = readEvent(envelope);
  switch (read.kind) {
    case 'event':
      await act(envelope, read.event);
      break;
    case 'unknown_type':
      // Of a newer LeadEngine; ignored.
      break;
    case 'unsupported_version':
    case 'broken':
      // Dropped: this queue has no dead letters. The ledger still has the event.
      return { kind: 'dead_letter', reason: read.kind };
    default:
      read satisfies never;
  }
  handled.add(envelope.id);
  return { kind: 'ack' };
}

/** The work of this service. @throws if standard output is closed */
function act({ id, user_id }: Envelope, { type, data }: KnownEvent): Promise<void> {
  const line = `${JSON.stringify({ id, type, user_id, data })}\n`;
  return new Promise((resolve, reject) => {
    process.stdout.write(line, (error) => (error ? reject(error) : resolve()));
  });
}
