import type { Envelope } from './envelope.ts';

/**
 * All the rest of the program knows of messages. Two drivers stand behind it, RabbitMQ and Postgres, and one conformance
 * suite passes on both. Delivery is at least once: every consumer is idempotent by `envelope.id`.
 */
export interface Queue {
  /**
   * Connects and declares the topology. Resolves when ready, or after the first attempt has failed, since a process is of use
   * without a broker too; then it goes on trying, `health()` says why and the log says it once. Never rejects.
   */
  start(): Promise<void>;

  /**
   * Resolves once every message is durable in each queue it is routed to. Rejects with `PublishError` where that is not known: the
   * message may or may not have arrived, and publishing it again with the same id is the remedy. Never buffers without
   * bound: while the broker is away it rejects within seconds.
   */
  publish(messages: OutgoingMessage[]): Promise<void>;

  /**
   * Calls `handler` for each message, at most `prefetch` at the same time. Goes on by itself after the broker was away.
   * The handler's outcome is carried out on the channel that delivered the message, or not at all if that is gone. A
   * handler that throws gives the message back.
   */
  consume(queue: string, options: ConsumeOptions, handler: Handler): Promise<Consumer>;

  /** Messages that wait in a queue, those in a consumer's hands not counted. */
  depth(queue: string): Promise<number>;

  /** Declares a further queue, for consumers this program does not know of (tests, examples). Idempotent. */
  declareQueue(queue: { name: string; bindings: { exchange: string; pattern: string }[] }): Promise<void>;

  /** Removes every waiting message of a queue; returns how many. */
  purge(queue: string): Promise<number>;

  /** Whether messages can flow now, and if not, why. Never throws, answers from what is known without a round trip. */
  health(): { healthy: boolean; driver: 'rabbitmq' | 'embedded'; reason?: string };

  /** Ends what is open, after publishes under way. Twice is safe. */
  stop(): Promise<void>;
}

export interface OutgoingMessage {
  /** '' is the default exchange: the routing key then names a queue. */
  exchange: string;
  routingKey: string;
  envelope: Envelope;
  /** True where a message that no queue takes is an error. Events may have no listener; jobs may not. */
  mandatory?: boolean;
}

export interface Delivery {
  queue: string;
  envelope: Envelope;
  /** True if it was delivered before: to a consumer that ended without an outcome, or that gave it back. */
  redelivered: boolean;
  /** Fires when the channel that delivered this message is gone: another consumer may have it now. */
  signal: AbortSignal;
}

export interface ConsumeOptions {
  prefetch: number;
  /** Told of a message that does not parse, before it goes to the dead letters, where the broker keeps no reason with it. */
  onUnreadable?: ((message: UnreadableMessage) => Promise<void>) | undefined;
  /**
   * Before a queue that the broker cannot bring up again is deleted with all that is in it and made anew: does what its messages
   * asked for, where nobody would ask again. If it fails, the queue stays as it is until the next try.
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
  /** Back to the queue, for any consumer at once. Never for a failure: that would be a hot loop. */
  | { kind: 'requeue' };

export type Handler = (delivery: Delivery) => Promise<HandlerOutcome>;

export interface Consumer {
  /** Takes no more messages and gives back those not begun. Resolves when no further handler will be called; handlers under way go on. */
  stop(): Promise<void>;
  /** How many handlers are under way. */
  readonly busy: number;
}

export class PublishError extends Error {
  override name = 'PublishError';
}
