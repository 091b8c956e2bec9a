import type { Logger } from '../../runtime/log/logger.ts';
import { deliver } from '../deliver.ts';
import type { ConsumeOptions, Consumer, Handler } from '../queue.ts';
import type { Session } from './session.ts';
import type { Settle } from './settle.ts';
import { TAKE } from './statements.ts';

/**
 * All consumers of this process. One statement takes messages for every free slot of all of them.
 */
export interface Consumers {
  add(queue: string, options: ConsumeOptions, handler: Handler): Consumer;
  /** There may be messages: in this queue, or in any. */
  look(queue?: string): void;
  /** Resolves when no further handler will be called. */
  stop(): Promise<void>;
}

interface Member extends ConsumeOptions {
  queue: string;
  handler: Handler;
  busy: number;
  stopping: boolean;
}

interface Taken {
  id: number;
  queue: string;
  body: string;
  deliveries: number;
}

/** Deliveries after the first one, as RabbitMQ's `x-delivery-limit` counts them. */
const REDELIVERY_LIMIT = 20;

export function createConsumers(options: {
  current(): Session | undefined;
  settle: Settle;
  /** Whether a message over the redelivery limit can be dead-lettered. */
  hasDeadLetters(queue: string): boolean;
  logger: Logger;
}): Consumers {
  const { current, settle, hasDeadLetters, logger } = options;
  const members: Member[] = [];
  /** Queues that may have more messages than were taken. */
  const hungry = new Set<string>();
  let taking: Promise<void> | undefined;
  let scheduled = false;

  const look = (queue?: string) => {
    for (const member of members) if (!queue || member.queue === queue) hungry.add(member.queue);
    schedule();
  };
  // Slots freed in the same event-loop tick are filled by the same statement.
  const schedule = () => {
    if (scheduled || taking) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      taking ??= takeAll().finally(() => {
        taking = undefined;
        if (wanted().length > 0 && current()) schedule();
      });
    });
  };
  const takeAll = async () => {
    for (;;) {
      const session = current();
      const wants = wanted();
      if (!session || wants.length === 0) return;
      // Before the statement: a hint that arrives while it runs marks the queue again.
      for (const { queue } of wants) hungry.delete(queue);
      const taken = await take(session, wants);
      if (!taken) return;
      for (const { queue, places } of wants) {
        if (taken.filter((message) => message.queue === queue).length === places) hungry.add(queue);
      }
      for (const message of taken) hand(message, session);
    }
  };
  const wanted = () => {
    const places = new Map<string, number>();
    for (const member of members) {
      const free = freePlaces(member);
      if (free > 0 && hungry.has(member.queue))
        places.set(member.queue, (places.get(member.queue) ?? 0) + free);
    }
    return [...places].map(([queue, count]) => ({ queue, places: count }));
  };
  const hand = (message: Taken, session: Session) => {
    const index = members.findIndex((member) => member.queue === message.queue && freePlaces(member) > 0);
    const [member] = index < 0 ? [] : members.splice(index, 1);
    if (!member) {
      // Its consumer was stopped while the statement ran.
      settle(session, message.id, { kind: 'requeue_unseen' });
      return;
    }
    // To the end of the list: the consumers of one queue are served round-robin.
    members.push(member);
    void begin(member, message, session);
  };
  const begin = async (member: Member, message: Taken, session: Session) => {
    const { queue, body, deliveries } = message;
    if (deliveries > REDELIVERY_LIMIT + 1 && hasDeadLetters(queue)) {
      logger.warn('message_dead_lettered', { queue, reason: `delivered ${deliveries - 1} times` });
      settle(session, message.id, { kind: 'dead_letter' });
      schedule();
      return;
    }
    member.busy += 1;
    const raw = { queue, body: Buffer.from(body), redelivered: deliveries > 1, signal: session.lost };
    const outcome = await deliver(raw, member.handler, member.onUnreadable, logger);
    settle(session, message.id, outcome);
    member.busy -= 1;
    schedule();
  };

  const stopMember = async (member: Member) => {
    member.stopping = true;
    await taking;
    const index = members.indexOf(member);
    if (index >= 0 && member.busy === 0) members.splice(index, 1);
  };

  return {
    add: (queue, consumeOptions, handler) => {
      const member: Member = { ...consumeOptions, queue, handler, busy: 0, stopping: false };
      members.push(member);
      look(queue);
      return {
        stop: () => stopMember(member),
        get busy() {
          return member.busy;
        },
      };
    },
    look,
    stop: async () => {
      await Promise.all([...members].map(stopMember));
    },
  };
}

const freePlaces = ({ prefetch, busy, stopping }: Member): number => (stopping ? 0 : prefetch - busy);

/** Undefined if the statement failed, which ends the session. */
async function take(
  session: Session,
  wants: { queue: string; places: number }[],
): Promise<Taken[] | undefined> {
  const queues = wants.map(({ queue }) => queue);
  const places = wants.map((want) => want.places);
  try {
    const { rows } = await session.run(TAKE, [session.id, queues, places]);
    // RETURNING has no order; ids come as text, because bigint.
    return rows.map((row) => ({ ...row, id: Number(row.id) }) as Taken).sort((a, b) => a.id - b.id);
  } catch {
    return undefined;
  }
}
