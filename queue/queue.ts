import type { Envelope } from './envelope.ts';

/**
 * The interface to messages for the rest of the program. Two drivers implement it, RabbitMQ and
 * Postgres, and one conformance suite passes on both. Delivery is at least once: every consumer is
 * idempotent by `envelope.id`.
 */
export interface Queue {
  /**
   * Connects and declares the topology. Resolves when ready, or after the first failed attempt,
   * because a process is useful without a broker too. It then keeps retrying; `health()` has the
   * reason, and the log has it once. Never rejects.
   */
  start(): Promise<void>;

  /**
   * Resolves once every message is durable in each queue it is routed to. Rejects with
   * `PublishError` if that is unknown: the message may or may not have arrived, and the caller
   * publishes it again with the same id. Buffering is bounded: while the broker is away it rejects
   * within seconds.
   */
  publish(messages: OutgoingMessage[]): Promise<void>;

  /**
   * Calls `handler` for each message, at most `prefetch` at the same time. Resumes by itself after
   * a broker outage. The handler's outcome is applied on the channel that delivered the message, or
   * not at all if that channel is gone. If the handler throws, the message is requeued.
   */
  consume(queue: string, options: ConsumeOptions, handler: Handler): Promise<Consumer>;

  /** Messages that wait in a queue; delivered, unsettled ones are not counted. */
  depth(queue: string): Promise<number>;

  /** Declares another queue, for consumers outside this program (tests, examples). Idempotent. */
  declareQueue(queue: { name: string; bindings: { exchange: string; pattern: string }[] }): Promise<void>;

  /** Removes every waiting message of a queue; returns the count. */
  purge(queue: string): Promise<number>;

  /** Whether messages can flow now, and if not, why. Never throws; answers without a round trip. */
  health(): { healthy: boolean; driver: 'rabbitmq' | 'embedded'; reason?: string };

  /** Closes everything, after publishes in flight. Calling it twice is safe. */
  stop(): Promise<void>;
}

export interface OutgoingMessage {
  /** '' is the default exchange: the routing key then names a queue. */
  exchange: string;
  routingKey: string;
  envelope: Envelope;
  /**
   * True if a message that no queue takes is an error. Events may have no consumer; jobs may not.
   */
  mandatory?: boolean;
}

export interface Delivery {
  queue: string;
  envelope: Envelope;
  /**
   * True if it was delivered before, to a consumer that ended without an outcome or requeued it.
   */
  redelivered: boolean;
  /**
   * Fires when the channel that delivered this message is gone: another consumer may have it now.
   */
  signal: AbortSignal;
}

export interface ConsumeOptions {
  prefetch: number;
  /**
   * Called with a message that does not parse, before it is dead-lettered: the broker keeps no
   * reason.
   */
  onUnreadable?: ((message: UnreadableMessage) => Promise<void>) | undefined;
  /**
   * Called before a queue that the broker cannot recover is deleted with its messages and
   * recreated: does the work of messages that nothing would publish again. If it fails, the queue
   * stays as it is until the next attempt.
   */
  beforeRecreate?: (() => Promise<void>) | undefined;
}

export interface UnreadableMessage {
  queue: string;
  body: Buffer;
  reason: string;
}

export type HandlerOutcome =
  | { kind: 'ack' }
  /** To the queue's dead letters. */
  | { kind: 'dead_letter'; reason: string }
  /**
   * Back to the queue, for any consumer at once. Never for a failure: that would loop without a
   * pause.
   */
  | { kind: 'requeue' };

export type Handler = (delivery: Delivery) => Promise<HandlerOutcome>;

export interface Consumer {
  /**
   * Takes no more messages and requeues those not begun. Resolves when no further handler will be
   * called; running handlers continue.
   */
  stop(): Promise<void>;
  /** Handlers that are running now. */
  readonly busy: number;
}

export class PublishError extends Error {
  override name = 'PublishError';
}
