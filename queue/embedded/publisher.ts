import type pg from 'pg';
import { createBatcher } from '../../runtime/batch.ts';
import { textArray } from '../../runtime/postgres/text-array.ts';
import { withTimeout } from '../../runtime/timeout.ts';
import { encodeEnvelope } from '../envelope.ts';
import { type OutgoingMessage, PublishError } from '../queue.ts';
import type { Topology } from '../topology.ts';
import { HINT, STORE } from './statements.ts';

export interface Publisher {
  /** See `Queue.publish`. */
  publish(messages: OutgoingMessage[]): Promise<void>;
  /** Waits for publishes in flight, for a bounded time. */
  stop(): Promise<void>;
}

interface Call {
  messages: { message: OutgoingMessage; body: Buffer }[];
  /** The caller timed out; the messages need not be stored. */
  abandoned: boolean;
}

const WAIT_MS = 5000;
/** Calls in flight. Calls beyond this are rejected at once, or an outage would fill the memory. */
const MAX_CALLS = 10_000;

/** @param options `onStored` is called with each queue that received messages */
export function createPublisher(options: {
  pool: pg.Pool;
  topology: Topology;
  onStored(queue: string): void;
}): Publisher {
  const { pool, onStored } = options;
  const exchanges = new Set(['', ...options.topology.exchanges.map(({ name }) => name)]);
  const underWay = new Set<Promise<void>>();
  const hint = createHints(pool);
  let stopped = false;

  const publish = async (messages: OutgoingMessage[]) => {
    if (stopped) throw new PublishError('the queue is stopped');
    if (underWay.size >= MAX_CALLS) throw new PublishError('too many publishes wait');
    const call: Call = { messages: messages.map(encode), abandoned: false };
    if (messages.length === 0) return;
    const done = storeInTime(call);
    underWay.add(done);
    try {
      await done;
    } finally {
      underWay.delete(done);
    }
  };
  const encode = (message: OutgoingMessage) => {
    if (!exchanges.has(message.exchange)) throw new PublishError(`no exchange ${message.exchange}`);
    return { message, body: encodeEnvelope(message.envelope) };
  };
  const storeInTime = async (call: Call) => {
    let refused: PublishError | undefined;
    try {
      refused = await withTimeout(store(call), WAIT_MS, () => {
        call.abandoned = true;
        return new PublishError(`not stored within ${WAIT_MS} ms`);
      });
    } catch (error) {
      if (error instanceof PublishError) throw error;
      throw new PublishError(`not stored: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
    if (refused) throw refused;
  };
  /** Calls that arrive together share a statement and its commit. */
  const store = createBatcher<Call, PublishError | undefined>(
    async (calls) => {
      const { queues, unrouted } = await storeAll(pool, calls);
      for (const queue of queues) {
        onStored(queue);
        hint(queue);
      }
      return calls.map((call) => unroutable(call, unrouted));
    },
    { maxItems: 200, maxRuns: 2 },
  );

  return {
    publish,
    stop: async () => {
      stopped = true;
      // Each has its own timeout.
      await Promise.allSettled(underWay);
      await hint.idle();
    },
  };
}

/** Returns the queues that received messages, and the messages that no queue takes. */
async function storeAll(
  pool: pg.Pool,
  calls: Call[],
): Promise<{ queues: string[]; unrouted: Set<OutgoingMessage> }> {
  const all = calls.filter(({ abandoned }) => !abandoned).flatMap(({ messages }) => messages);
  const queues: string[] = [];
  const unrouted = new Set<OutgoingMessage>();
  if (all.length === 0) return { queues, unrouted };
  const { rows } = await pool.query<{ queue: string | null; number: number | null }>({
    ...STORE,
    values: [
      textArray(all.map(({ message }) => message.exchange)),
      textArray(all.map(({ message }) => message.routingKey)),
      textArray(all.map(({ message }) => message.envelope.id)),
      textArray(all.map(({ body }) => body)),
    ],
  });
  for (const { queue, number } of rows) {
    if (queue !== null) queues.push(queue);
    const message = number === null ? undefined : all[number - 1]?.message;
    if (message) unrouted.add(message);
  }
  return { queues, unrouted };
}

function unroutable({ messages }: Call, unrouted: Set<OutgoingMessage>): PublishError | undefined {
  for (const { message } of messages) {
    if (message.mandatory && unrouted.has(message)) {
      const { exchange, routingKey } = message;
      return new PublishError(`no queue takes it (exchange '${exchange}', routing key '${routingKey}')`);
    }
  }
  return undefined;
}

/**
 * Notifies other processes that a queue has messages. NOTIFY locks the whole cluster at commit, so
 * it is not part of the insert, and one runs at a time: queues that arrive meanwhile share the next
 * one. A lost hint costs one poll interval.
 */
function createHints(pool: pg.Pool): ((queue: string) => void) & { idle(): Promise<void> } {
  const waiting = new Set<string>();
  let sending: Promise<void> | undefined;
  const send = async () => {
    while (waiting.size > 0) {
      const queues = [...waiting];
      waiting.clear();
      await pool.query({ ...HINT, values: [queues] }).catch(() => {});
    }
  };
  const hint = (queue: string) => {
    waiting.add(queue);
    sending ??= send().finally(() => {
      sending = undefined;
    });
  };
  return Object.assign(hint, { idle: async () => sending });
}
