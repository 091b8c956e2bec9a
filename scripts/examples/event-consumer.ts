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
 * A service of your own that hears of events. It has a queue of its own, bound to the exchange of the events it wants: durable, so
 * it misses nothing while it is away, and apart from everybody else's. It runs as often as you like; its processes
 * share the queue.
 *
 *   node scripts/run.mjs scripts/examples/event-consumer.js
 *
 * Nothing but the message library is needed, on RabbitMQ and without.
 */

const QUEUE = 'example_consumer';
const BINDINGS = [{ exchange: 'job_events', pattern: 'job.*' }];

runConfigured('example', async ({ config, logger, lifecycle }) => {
  const queue = openQueue(config, await databaseUrlOf(config), logger, 'example consumer');
  await lifecycle.start({ name: 'queue', start: () => queue.start(), stop: () => queue.stop() });
  await declareOwnQueue(queue);
  await queue.consume(QUEUE, { prefetch: 1 }, async ({ envelope }) => {
    try {
      return await hear(envelope);
    } catch (error) {
      // What this service cannot pass on must not be acknowledged, and the next event would fare no better.
      lifecycle.fail(error as Error);
      return { kind: 'requeue' };
    }
  });
  process.send?.({ type: 'ready' });
});

/** Where the queue lives if there is no RabbitMQ: your Postgres, or the one that `npm start` runs and has written down. */
async function databaseUrlOf({ rabbitmq, databaseUrl, dataDir }: Config): Promise<string> {
  if (rabbitmq) return '';
  return databaseUrl ?? (await readFile(join(dataDir, 'database-url'), 'utf8')).trim();
}

/** The broker may still be on its way up. */
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

/** Those heard already: an event may come again, with the same id. A real service keeps them where it keeps its results. */
const heard = new Set<string>();

async function hear(envelope: Envelope): Promise<HandlerOutcome> {
  if (heard.has(envelope.id)) return { kind: 'ack' };
  const read = readEvent(envelope);
  switch (read.kind) {
    case 'event':
      await act(envelope, read.event);
      break;
    case 'unknown_type':
      // Of a newer LeadEngine, and not for us.
      break;
    case 'unsupported_version':
    case 'broken':
      // Gone: this queue has no dead letters. The ledger has the event still, for when it can be read.
      return { kind: 'dead_letter', reason: read.kind };
    default:
      read satisfies never;
  }
  heard.add(envelope.id);
  return { kind: 'ack' };
}

/** What this service is for. @throws where nobody takes what it writes any more */
function act({ id, user_id }: Envelope, { type, data }: KnownEvent): Promise<void> {
  const line = `${JSON.stringify({ id, type, user_id, data })}\n`;
  return new Promise((resolve, reject) => {
    process.stdout.write(line, (error) => (error ? reject(error) : resolve()));
  });
}
