import type { Sql } from '../../db/connect.ts';
import { type EventCursor, findLedgerEnd, followLedger, type LedgerEvent } from '../../db/events/events.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { ToldEvent } from './serialized-event.ts';

/** Whose events: all of a user, or those of one job, which was final when it was looked at or not. */
export type Scope = { kind: 'user'; userId: string } | { kind: 'job'; jobId: string; isFinal: boolean };

/** Follows the ledger once for the whole process, and tells each event to those it concerns. */
export interface Feed {
  /**
   * The listener hears, in order and once, every event of its scope behind `from`; what lies before is to be read from the ledger.
   * @throws where the database is away and nobody has listened yet
   */
  join(scope: Scope, listener: Listener): Promise<Membership>;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

export type Listener = (told: ToldEvent) => void;

export interface Membership {
  from: EventCursor;
  leave(): void;
}

/**
 * A look costs one index probe, some 0.1 ms, so it is asked often. `NOTIFY` would tell sooner, and would make every accepted job
 * wait for a lock on the whole cluster.
 */
const POLL_MS = 50;
const OUTAGE_POLL_MS = 500;
const BATCH = 1000;
/** A thousand events for a thousand streams are a million writes: in between, others get their turn. */
const TURN_MS = 20;

export function createFeed(sql: Sql, logger: Logger): Feed {
  const audiences = new Map<string, Set<Listener>>();
  /** Up to here everything was told; undefined while nobody listens. */
  let position: EventCursor | undefined;
  let starting: Promise<void> | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;
  let failing = false;
  let wake = () => {};

  const start = async () => {
    position = (await findLedgerEnd(sql)).end;
  };
  const run = async () => {
    while (position && audiences.size > 0 && !stopped) await pause(await step(position));
    position = undefined;
    running = undefined;
  };
  /** Returns how long to wait before the next one, in ms. */
  const step = async (after: EventCursor): Promise<number> => {
    try {
      const events = await followLedger(sql, after, BATCH);
      if (failing) logger.info('live_recovered');
      failing = false;
      await tellAll(events);
      return events.length === BATCH ? 0 : POLL_MS;
    } catch (error) {
      // Nothing is missed: it goes on from where it was.
      if (!failing) logger.warn('live_interrupted', { error });
      failing = true;
      return OUTAGE_POLL_MS;
    }
  };
  const tellAll = async (events: LedgerEvent[]) => {
    let since = performance.now();
    for (const event of events) {
      tell(event);
      position = { xid: event.xid, seq: event.seq };
      if (performance.now() - since < TURN_MS) continue;
      await new Promise(setImmediate);
      since = performance.now();
    }
  };
  const tell = (event: LedgerEvent) => {
    const concerned = [audiences.get(`job ${event.job_id}`), audiences.get(`user ${event.user_id}`)];
    let told: ToldEvent | undefined;
    for (const audience of concerned) {
      for (const listener of audience ?? []) {
        told ??= new ToldEvent(event);
        listener(told);
      }
    }
  };
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  return {
    join: async (scope, listener) => {
      while (!position) {
        starting ??= start().finally(() => {
          starting = undefined;
        });
        await starting;
      }
      // From here to the end in one go: no step can come in between.
      const key = keyOf(scope);
      const audience = audiences.get(key) ?? new Set();
      audience.add(listener);
      audiences.set(key, audience);
      const from = position;
      running ??= run();
      return {
        from,
        leave: () => {
          audience.delete(listener);
          if (audience.size === 0 && audiences.get(key) === audience) audiences.delete(key);
        },
      };
    },
    stop: async () => {
      stopped = true;
      wake();
      await running;
    },
  };
}

const keyOf = (scope: Scope): string =>
  scope.kind === 'job' ? `job ${scope.jobId}` : `user ${scope.userId}`;
