import { endsJob } from '../../core/events/events.ts';
import type { Sql } from '../../db/connect.ts';
import {
  BEGINNING,
  comparePlaces,
  type EventCursor,
  findLastJobEvent,
  findLedgerEnd,
  type LedgerEvent,
  listJobEvents,
  listUserEvents,
} from '../../db/events/events.ts';
import { badEventCursor } from '../http/cursor.ts';
import type { EventHub, Scope } from './event-hub.ts';
import { SerializedEvent } from './serialized-event.ts';

/** The client's side of a subscription. Its methods must not throw. */
export interface Sink {
  /** Called before the first event; events start after `from`. */
  begin(from: EventCursor): void;
  send(event: SerializedEvent): void;
  /** Undefined if the client can take more; else resolves when it can, or when it is gone. */
  drained(): Promise<void> | undefined;
  /** The client has too much unread data and gets nothing until it has drained. */
  isFull(): boolean;
  /** No more events: the job is final. Comes without `begin` if the client had seen everything. */
  end(): void;
  /** Fires when the client is gone or must be disconnected. */
  gone: AbortSignal;
}

export interface Subscription {
  scope: Scope;
  /** Start after this event; null: at a job's first event, at a user's next one. */
  after: EventCursor | null;
  /** Only these types; null for all. */
  types: ReadonlySet<string> | null;
}

const PAGE = 100;
/** New events buffered while the ledger is read; above it they are read from the ledger instead. */
const MAX_PENDING = 250;

/**
 * Sends a client its events: first from the ledger, at the client's own speed, then live. The hub
 * says up to which position the ledger must be read and delivers everything after it: no gap and no
 * repeat. A client that cannot keep up goes back to the ledger, so nothing is buffered for it.
 * Resolves when the client is gone or the job's last event was sent.
 *
 * @throws Problem 422 for a cursor the ledger has not reached
 */
export async function runSubscription(
  { sql, hub }: { sql: Sql; hub: EventHub },
  { scope, after, types }: Subscription,
  sink: Sink,
): Promise<void> {
  let cursor = after ?? (scope.kind === 'job' ? BEGINNING : (await findLedgerEnd(sql)).end);
  let hasBegun = false;

  const begin = (from: EventCursor) => {
    if (!hasBegun) sink.begin(from);
    hasBegun = true;
  };
  const send = (event: SerializedEvent) => {
    if (!types || types.has(event.source.type)) sink.send(event);
  };

  /** Sends the ledger's events up to a position. */
  const sendFromLedger = async (upTo: EventCursor): Promise<void> => {
    while (comparePlaces(cursor, upTo) < 0 && !sink.gone.aborted) {
      const events = await readPart(sql, { scope, types, after: cursor, upTo });
      if (events.length > 0) begin(cursor);
      for (const event of events) {
        send(new SerializedEvent(event));
        const drained = sink.drained();
        if (drained) await drained;
      }
      const newest = events.at(-1);
      cursor = newest && events.length === PAGE ? cursorOf(newest) : upTo;
    }
  };

  /** Ledger, then live, until the client falls behind, is gone, or has everything. */
  const runOnce = async (): Promise<'behind' | 'gone' | 'ended'> => {
    const pending: SerializedEvent[] = [];
    let isLive = false;
    let finish: (how: 'behind' | 'gone' | 'ended') => void = () => {};
    const finished = new Promise<'behind' | 'gone' | 'ended'>((resolve) => {
      finish = (how) => {
        isLive = false;
        unsubscribe();
        resolve(how);
      };
    });
    const onGone = () => finish('gone');
    const deliver = (event: SerializedEvent) => {
      // This process may be behind the one the client was connected to before.
      const ahead = comparePlaces(event.source, cursor);
      if (ahead < 0) return;
      cursor = cursorOf(event.source);
      if (ahead > 0) send(event);
      if (scope.kind === 'job' && endsJob(event.source.type)) finish('ended');
      else if (sink.isFull()) finish('behind');
    };
    const { from, unsubscribe } = await hub.subscribe(scope, (event) => {
      if (isLive) deliver(event);
      else if (pending.length <= MAX_PENDING) pending.push(event);
    });
    sink.gone.addEventListener('abort', onGone);
    try {
      if (sink.gone.aborted) return 'gone';
      if (after && comparePlaces(after, from) > 0) await requireReached(sql, after);
      await sendFromLedger(from);
      const ended = scope.kind === 'job' && (await hasEnded(sql, scope, from));
      if (sink.gone.aborted) return 'gone';
      // Only with nothing pending: a final job may have been retried just now.
      if (ended && pending.length === 0) return 'ended';
      if (pending.length > MAX_PENDING) return 'behind';
      begin(cursor);
      isLive = true;
      for (const event of pending.splice(0)) if (isLive) deliver(event);
      return await finished;
    } finally {
      unsubscribe();
      sink.gone.removeEventListener('abort', onGone);
    }
  };

  for (;;) {
    const how = await runOnce();
    if (how === 'ended') sink.end();
    if (how !== 'behind') return;
    await sink.drained();
  }
}

const cursorOf = ({ xid, seq }: EventCursor): EventCursor => ({ xid, seq });

/** For a job all types are read, because its last event says whether it is over. */
const readPart = (
  sql: Sql,
  { scope, types, after, upTo }: Subscription & { after: EventCursor; upTo: EventCursor },
): Promise<LedgerEvent[]> => {
  const part = { after, upTo, limit: PAGE };
  return scope.kind === 'job'
    ? listJobEvents(sql, scope.jobId, null, part)
    : listUserEvents(sql, scope.userId, types && [...types], part);
};

/** Whether the job's last event ends it and lies in the part that was read. */
async function hasEnded(sql: Sql, job: { jobId: string; isFinal: boolean }, upTo: EventCursor) {
  const last = await findLastJobEvent(sql, job.jobId);
  return last ? endsJob(last.type) && comparePlaces(last, upTo) <= 0 : job.isFinal;
}

/**
 * Another process may be slightly ahead, but a transaction id not yet assigned is of another
 * database.
 */
async function requireReached(sql: Sql, cursor: EventCursor): Promise<void> {
  const { nextXid } = await findLedgerEnd(sql);
  if (BigInt(cursor.xid) > BigInt(nextXid)) {
    throw badEventCursor('Last-Event-ID', 'this ledger has no such event');
  }
}
