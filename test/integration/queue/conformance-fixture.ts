import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { createEnvelope } from '../../../queue/envelope.ts';
import type { Delivery, OutgoingMessage, Queue } from '../../../queue/queue.ts';
import type { Topology } from '../../../queue/topology.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Cable } from '../api/api-cable.ts';

/** What a driver provides to the suite. */
export interface QueueHarness {
  driver: 'rabbitmq' | 'embedded';
  /** An empty broker (a vhost, a database) on servers shared with other tests. */
  open(): Promise<Backend>;
  /** One on a server of its own, which can be restarted; data stay. */
  openPrivate(): Promise<Backend & { restart(): Promise<void> }>;
  /** Not started. */
  createQueue(url: string, topology: Topology): Queue;
  /** Puts a body that need not be an envelope directly into a queue. */
  publishRaw(url: string, queue: string, body: string): Promise<void>;
}

export interface Backend {
  url: string;
  close(): Promise<void>;
}

export const WORK = 'work';
export const DEAD = 'work.dead';
export const EVENTS = 'events';

export const TEST_TOPOLOGY: Topology = {
  exchanges: [
    { name: 'dlx', type: 'direct' },
    { name: EVENTS, type: 'topic' },
  ],
  queues: [
    { name: WORK, deadLetter: DEAD, bindings: [] },
    { name: DEAD, bindings: [{ exchange: 'dlx', pattern: DEAD }] },
  ],
};

export const LEASE_MS = 15_000;

let made = 0;

/** A message for the work queue. */
export function workMessage(
  data: Record<string, unknown> = {},
): OutgoingMessage & { envelope: { id: string } } {
  made += 1;
  const envelope = createEnvelope({
    type: 'test.work',
    version: '1.0',
    source: 'test',
    correlation_id: `correlation-${made}`,
    user_id: null,
    data,
  });
  return { exchange: '', routingKey: WORK, envelope, mandatory: true };
}

export const workMessages = (count: number) => Array.from({ length: count }, () => workMessage());

/** Publishes again, with the same ids, until the queue has confirmed. */
export async function publishUntilStored(queue: Queue, messages: OutgoingMessage[]): Promise<void> {
  await waitFor(
    async () => {
      await queue.publish(messages);
      return true;
    },
    { what: 'the messages to be stored' },
  );
}

/** Acknowledges everything and records it. */
export function collector() {
  const deliveries: Delivery[] = [];
  return {
    deliveries,
    ids: () => new Set(deliveries.map(({ envelope }) => envelope.id)),
    handler: async (delivery: Delivery) => {
      deliveries.push(delivery);
      return { kind: 'ack' } as const;
    },
  };
}

/** A handler that blocks until it is released. */
export function holder() {
  const held: Delivery[] = [];
  let letGo = () => {};
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return {
    held,
    letGo,
    handler: async (delivery: Delivery) => {
      held.push(delivery);
      await released;
      return { kind: 'ack' } as const;
    },
  };
}

/** Everything a test opens, closed after it, the last first. */
export function useFixture(harness: QueueHarness) {
  let closing: (() => Promise<unknown> | unknown)[] = [];
  const atEnd = (close: () => Promise<unknown> | unknown) => void closing.push(close);

  afterEach(async () => {
    const all = closing.reverse();
    closing = [];
    for (const close of all) await close();
  });

  const open = async () => {
    const backend = await harness.open();
    atEnd(backend.close);
    return backend;
  };
  const createQueue = (url: string, topology: Topology = TEST_TOPOLOGY) => {
    const queue = harness.createQueue(url, topology);
    atEnd(() => queue.stop());
    return queue;
  };
  const start = async (url?: string): Promise<Queue> => {
    const queue = createQueue(url ?? (await open()).url);
    await queue.start();
    return queue;
  };
  const cable = async (url: string) => {
    const made = new Cable();
    const through = await made.through(url);
    atEnd(() => made.remove());
    return { url: through, cut: () => made.cut(), mend: () => made.mend() };
  };
  /** Another process that consumes the work queue and finishes nothing. */
  const startChild = async (url: string, options: { prefetch: number; leaseMs?: number }) => {
    const child = fork(join(import.meta.dirname, 'conformance-child.mjs'), [], {
      env: {
        PATH: process.env.PATH,
        CHILD: JSON.stringify({
          driver: harness.driver,
          url,
          topology: TEST_TOPOLOGY,
          queue: WORK,
          leaseMs: LEASE_MS,
          ...options,
        }),
      },
      execArgv: [],
    });
    const messages: Record<string, string>[] = [];
    child.on('message', (message: Record<string, string>) => messages.push(message));
    const kill = () => killed(child);
    atEnd(kill);
    return {
      kill,
      signal: (signal: NodeJS.Signals) => child.kill(signal),
      got: () => messages.flatMap(({ got }) => got ?? []),
      lost: () => messages.flatMap(({ lost }) => lost ?? []),
    };
  };
  const openPrivate = async () => {
    const backend = await harness.openPrivate();
    atEnd(backend.close);
    return backend;
  };
  return { open, openPrivate, createQueue, start, cable, startChild };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
