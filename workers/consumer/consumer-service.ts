import type { Database } from '../../db/connect.ts';
import { deadLetterMessage } from '../../db/events/dead-letters.ts';
import type { ConsumeOptions, Consumer, Handler, Queue } from '../../queue/queue.ts';
import { withTimeout } from '../../runtime/timeout.ts';

/** Consumes the queues of a worker process, and tracks the running handlers for its stop. */
export interface ConsumerService {
  /** Starts to consume a queue; stores messages that do not parse as dead letters. */
  start(queue: string, options: Omit<ConsumeOptions, 'onUnreadable'>, handler: Handler): Promise<void>;
  /** Takes no more messages. Resolves when no further handler will be called. */
  drain(): Promise<void>;
  /** Waits up to `ms` for the running handlers. Resolves with whether all of them have settled. */
  finish(ms: number): Promise<boolean>;
  /** How many handlers are running. */
  readonly running: number;
}

export function createConsumerService({
  database,
  queue,
}: {
  database: Database;
  queue: Queue;
}): ConsumerService {
  const running = new Set<Promise<unknown>>();
  const consumers: Consumer[] = [];

  return {
    start: async (name, options, handler) => {
      const tracked: Handler = (delivery) => {
        const work = handler(delivery).finally(() => running.delete(work));
        running.add(work);
        return work;
      };
      const onUnreadable: ConsumeOptions['onUnreadable'] = (message) => deadLetterMessage(database, message);
      consumers.push(await queue.consume(name, { ...options, onUnreadable }, tracked));
    },
    drain: async () => {
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    },
    finish: (ms) =>
      withTimeout(Promise.allSettled(running), ms, () => new Error('late')).then(
        () => true,
        () => false,
      ),
    get running() {
      return running.size;
    },
  };
}
