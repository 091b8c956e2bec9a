import type { Channel } from 'amqplib';
import { DEAD_LETTER_EXCHANGE, type QueueDeclaration, type Topology } from '../topology.ts';

/** Declares everything, in order, on one channel. Idempotent. */
export async function declareTopology(channel: Channel, topology: Topology): Promise<void> {
  for (const { name, type } of topology.exchanges) {
    await channel.assertExchange(name, type, { durable: true });
  }
  for (const queue of topology.queues) await declareQueue(channel, queue);
}

/**
 * @throws 406 if the queue exists with other arguments, which closes the channel; 404 for an
 *   unknown exchange
 */
export async function declareQueue(channel: Channel, queue: QueueDeclaration): Promise<void> {
  await channel.assertQueue(queue.name, { durable: true, arguments: queueArguments(queue) });
  for (const { exchange, pattern } of queue.bindings) await channel.bindQueue(queue.name, exchange, pattern);
}

/**
 * Tested on 3.10.8, documented for 4.x. At-least-once dead-lettering needs `reject-publish`. A
 * queue without dead letters gets no delivery limit: the broker would drop messages over it.
 */
export function queueArguments({ deadLetter }: QueueDeclaration): Record<string, string | number> {
  if (!deadLetter) return { 'x-queue-type': 'quorum' };
  return {
    'x-queue-type': 'quorum',
    'x-dead-letter-exchange': DEAD_LETTER_EXCHANGE,
    'x-dead-letter-routing-key': deadLetter,
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
    'x-delivery-limit': DELIVERY_LIMIT,
  };
}

const DELIVERY_LIMIT = 20;
