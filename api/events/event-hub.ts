import type { Sql } from '../../db/connect.ts';
import { type EventCursor, findLedgerEnd, followLedger, type LedgerEvent } from '../../db/events/events.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { SerializedEvent } from './serialized-event.ts';

/**
 * Whose events: all of a user, or those of one job. `isFinal` is the job's state when it was read.
 */
export type Scope = { kind: 'user'; userId: string } | { kind: 'job'; jobId: string; isFinal: boolean };

/**
 * Follows the ledger once per process and passes each event to the listeners of its user and job.
 */
export interface EventHub {
  /**
   * The listener gets every event of its scope after `from`, in order and once; the caller reads
   * earlier events from the ledger.
   * @throws if the database is away and this is the first listener
   */
  subscribe(scope: Scope, listener: Listener): Promise<HubSubscription>;
  /** Resolves when no query is running. */
  stop(): Promise<void>;
}

export type Listener = (event: SerializedEvent) => void;

export interface HubSubscription {
  from: EventCursor;
  unsubscribe(): void;
}

/**
 * A poll costs one index probe, about 0.1 ms, so it runs often. `NOTIFY` would be faster, but its
 * commit takes a lock on the whole cluster, and every accepted job would wait for it.
 */
const POLL_MS = 50;
const OUTAGE_POLL_MS = 500;
const BATCH = 1000;
/**
 * A thousand events for a thousand streams are a million writes: yield to other requests between.
 */
const MAX_BLOCK_MS = 20;

export function createEventHub(sql: Sql, logger: Logger): EventHub {
  const subscribers = new Map<string, Set<Listener>>();
  /** Everything up to here was delivered; undefined while there are no listeners. */
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
    while (position && subscribers.size > 0 && !stopped) await pause(await step(position));
    position = undefined;
    running = undefined;
  };
  /** Returns the delay before the next step, in ms. */
  const step = async (after: EventCursor): Promise<number> => {
    try {
      const events = await followLedger(sql, after, BATCH);
      if (failing) logger.info('live_recovered');
      failing = false;
      await deliverAll(events);
      return events.length === BATCH ? 0 : POLL_MS;
    } catch (error) {
      // Nothing is missed: the next step starts at the same position.
      if (!failing) logger.warn('live_interrupted', { error });
      failing = true;
      return OUTAGE_POLL_MS;
    }
  };
  const deliverAll = async (events: LedgerEvent[]) => {
    let since = performance.now();
    for (const event of events) {
      deliver(event);
      position = { xid: event.xid, seq: event.seq };
      if (performance.now() - since < MAX_BLOCK_MS) continue;
      await new Promise(setImmediate);
      since = performance.now();
    }
  };
  const deliver = (event: LedgerEvent) => {
    const concerned = [subscribers.get(`job ${event.job_id}`), subscribers.get(`user ${event.user_id}`)];
    let serialized: SerializedEvent | undefined;
    for (const listeners of concerned) {
      for (const listener of listeners ?? []) {
        serialized ??= new SerializedEvent(event);
        listener(serialized);
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
    subscribe: async (scope, listener) => {
      while (!position) {
        starting ??= start().finally(() => {
          starting = undefined;
        });
        await starting;
      }
      // No `await` from here to the end, so no step can run in between.
      const key = keyOf(scope);
      const listeners = subscribers.get(key) ?? new Set();
      listeners.add(listener);
      subscribers.set(key, listeners);
      const from = position;
      running ??= run();
      return {
        from,
        unsubscribe: () => {
          listeners.delete(listener);
          if (listeners.size === 0 && subscribers.get(key) === listeners) subscribers.delete(key);
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
