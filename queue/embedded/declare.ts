import type pg from 'pg';
import type { QueueDeclaration, Topology } from '../topology.ts';
import { DECLARE_QUEUE } from './statements.ts';
import { directExpression, topicExpression } from './topic.ts';

/** Declares the queues of a topology in the tables of migration `0011-embedded-queue`. */
export async function declareTopology(client: pg.ClientBase, topology: Topology): Promise<void> {
  for (const queue of topology.queues) await declareQueue(client, queue, topology);
}

/** @throws Error for an exchange that is not in the topology */
export async function declareQueue(
  client: { query: pg.ClientBase['query'] },
  queue: QueueDeclaration,
  topology: Topology,
): Promise<void> {
  const bindings = queue.bindings.map(({ exchange, pattern }) => ({
    exchange,
    pattern,
    expression: expressionOf(topology, exchange, pattern),
  }));
  await client.query({
    ...DECLARE_QUEUE,
    values: [
      queue.name,
      queue.deadLetter ?? null,
      bindings.map(({ exchange }) => exchange),
      bindings.map(({ pattern }) => pattern),
      bindings.map(({ expression }) => expression),
    ],
  });
}

function expressionOf(topology: Topology, exchange: string, pattern: string): string {
  const type = topology.exchanges.find(({ name }) => name === exchange)?.type;
  if (!type) throw new Error(`no exchange ${exchange}`);
  return type === 'direct' ? directExpression(pattern) : topicExpression(pattern);
}
