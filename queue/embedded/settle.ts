import { createBatcher } from '../../runtime/batch.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import type { Session } from './session.ts';
import { ACKNOWLEDGE, DEAD_LETTER, REQUEUE } from './statements.ts';

export type Settlement = { kind: 'ack' | 'dead_letter' | 'requeue' | 'requeue_unseen' };

interface Failure {
  error: unknown;
}

/** Settles a message in the session that took it; does nothing if that is gone. Returns at once. */
export type Settle = (session: Session, id: number, settlement: Settlement) => void;

/**
 * Groups the settlements of all consumers: 64 slots draining small messages take 3 statements, not
 * 64.
 */
export function createSettler(logger: Logger): { settle: Settle; idle(): Promise<void> } {
  const underWay = new Set<Promise<void>>();
  // A session that is gone must not take the settlements of the next one with it: that one lives
  // on, and would hold its messages until the process ends.
  const write = createBatcher<{ session: Session; id: number; kind: Settlement['kind'] }, Failure | null>(
    async (items) => {
      const failures = new Map<Session, Failure>();
      for (const session of new Set(items.map((item) => item.session))) {
        const idsOf = (kind: Settlement['kind']) =>
          items.filter((item) => item.session === session && item.kind === kind).map(({ id }) => id);
        await settleAll(session, idsOf).catch((error) => failures.set(session, { error }));
      }
      return items.map(({ session }) => failures.get(session) ?? null);
    },
    { maxItems: 1000, maxRuns: 1 },
  );

  return {
    settle: (session, id, { kind }) => {
      const written = write({ session, id, kind })
        .then((failure) => {
          // Not written: the session is gone, and with it the claim. The message is delivered again.
          if (failure) logger.info('delivery_lost', { id, outcome: kind, error: failure.error });
        })
        .finally(() => underWay.delete(written));
      underWay.add(written);
    },
    idle: async () => {
      await Promise.all(underWay);
    },
  };
}

async function settleAll(session: Session, idsOf: (kind: Settlement['kind']) => number[]): Promise<void> {
  const acknowledged = idsOf('ack');
  const dead = idsOf('dead_letter');
  const back = idsOf('requeue');
  const unseen = idsOf('requeue_unseen');
  if (acknowledged.length > 0) await session.run(ACKNOWLEDGE, [session.id, acknowledged]);
  if (dead.length > 0) await session.run(DEAD_LETTER, [session.id, dead]);
  if (back.length > 0) await session.run(REQUEUE, [session.id, back, 0]);
  if (unseen.length > 0) await session.run(REQUEUE, [session.id, unseen, 1]);
}
