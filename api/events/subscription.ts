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
import type { Feed, Scope } from './event-hub.ts';
import { ToldEvent } from './serialized-event.ts';

/** Where a client's events go. Nothing here may throw. */
export interface Sink {
  /** Before the first event; `from` is the place behind which they begin. */
  begin(from: EventCursor): void;
  send(told: ToldEvent): void;
  /** Undefined where there is room for more; else resolves when there is, or when the client is gone. */
  room(): Promise<void> | undefined;
  /** The client has left so much unread that it gets nothing more until there is room. */
  isFull(): boolean;
  /** There is no more to come: the job is final. `begin` was not called if the client had seen everything before. */
  end(): void;
  /** Fires when the client is gone, or is to be. */
  gone: AbortSignal;
}

export interface Following {
  scope: Scope;
  /** Behind which place to begin; null: a job's with its first event, a user's with the next one. */
  after: EventCursor | null;
  /** Only these; null for all. */
  types: ReadonlySet<string> | null;
}

const PAGE = 100;
/** Events that come in while the past is read; more, and the past is read on instead. */
const MAX_PENDING = 250;

/**
 * Sends a client its events: first from the ledger, at the client's own speed, then as they happen. The feed says up to which place
 * the ledger is to be read, and everything behind that place comes from the feed: no gap and no repeat. A client that
 * cannot keep up is sent back to the ledger, so that nothing is buffered for it. Resolves when the client is gone or
 * has everything.
 *
 * @throws Problem 422 for a place the ledger has not reached
 */
export async function follow(
  { sql, feed }: { sql: Sql; feed: Feed },
  { scope, after, types }: Following,
  sink: Sink,
): Promise<void> {
  let place = after ?? (scope.kind === 'job' ? BEGINNING : (await findLedgerEnd(sql)).end);
  let begun = false;

  const begin = (from: EventCursor) => {
    if (!begun) sink.begin(from);
    begun = true;
  };
  const send = (told: ToldEvent) => {
    if (!types || types.has(told.event.type)) sink.send(told);
  };

  /** Reads the ledger up to a place and sends it on. */
  const sendPast = async (upTo: EventCursor): Promise<void> => {
    while (comparePlaces(place, upTo) < 0 && !sink.gone.aborted) {
      const events = await readPart(sql, { scope, types, after: place, upTo });
      if (events.length > 0) begin(place);
      for (const event of events) {
        send(new ToldEvent(event));
        const room = sink.room();
        if (room) await room;
      }
      const newest = events.at(-1);
      place = newest && events.length === PAGE ? placeOf(newest) : upTo;
    }
  };

  /** From the past into the present, until the client is behind again, gone, or has everything. */
  const followOnce = async (): Promise<'behind' | 'gone' | 'over'> => {
    const pending: ToldEvent[] = [];
    let isLive = false;
    let leaveWith: (how: 'behind' | 'gone' | 'over') => void = () => {};
    const left = new Promise<'behind' | 'gone' | 'over'>((resolve) => {
      leaveWith = (how) => {
        isLive = false;
        leave();
        resolve(how);
      };
    });
    const onGone = () => leaveWith('gone');
    const deliver = (told: ToldEvent) => {
      // A process may be behind another one, where this client was before.
      const ahead = comparePlaces(told.event, place);
      if (ahead < 0) return;
      place = placeOf(told.event);
      if (ahead > 0) send(told);
      if (scope.kind === 'job' && endsJob(told.event.type)) leaveWith('over');
      else if (sink.isFull()) leaveWith('behind');
    };
    const { from, leave } = await feed.join(scope, (told) => {
      if (isLive) deliver(told);
      else if (pending.length <= MAX_PENDING) pending.push(told);
    });
    sink.gone.addEventListener('abort', onGone);
    try {
      if (sink.gone.aborted) return 'gone';
      if (after && comparePlaces(after, from) > 0) await expectReached(sql, after);
      await sendPast(from);
      const over = scope.kind === 'job' && (await isOver(sql, scope, from));
      if (sink.gone.aborted) return 'gone';
      // Nothing pending: a job that was over may have been run again just now.
      if (over && pending.length === 0) return 'over';
      if (pending.length > MAX_PENDING) return 'behind';
      begin(place);
      isLive = true;
      for (const told of pending.splice(0)) if (isLive) deliver(told);
      return await left;
    } finally {
      leave();
      sink.gone.removeEventListener('abort', onGone);
    }
  };

  for (;;) {
    const how = await followOnce();
    if (how === 'over') sink.end();
    if (how !== 'behind') return;
    await sink.room();
  }
}

const placeOf = ({ xid, seq }: EventCursor): EventCursor => ({ xid, seq });

/** Of a job all types, because the last one says whether it is over. */
const readPart = (
  sql: Sql,
  { scope, types, after, upTo }: Following & { after: EventCursor; upTo: EventCursor },
): Promise<LedgerEvent[]> => {
  const part = { after, upTo, limit: PAGE };
  return scope.kind === 'job'
    ? listJobEvents(sql, scope.jobId, null, part)
    : listUserEvents(sql, scope.userId, types && [...types], part);
};

/** Whether the job's last event is one that ends it, and lies in what was read. */
async function isOver(sql: Sql, job: { jobId: string; isFinal: boolean }, upTo: EventCursor) {
  const last = await findLastJobEvent(sql, job.jobId);
  return last ? endsJob(last.type) && comparePlaces(last, upTo) <= 0 : job.isFinal;
}

/** Another process may be a moment ahead of this one; a transaction that has not begun is of another database. */
async function expectReached(sql: Sql, place: EventCursor): Promise<void> {
  const { nextXid } = await findLedgerEnd(sql);
  if (BigInt(place.xid) > BigInt(nextXid)) {
    throw badEventCursor('Last-Event-ID', 'this ledger has no such event');
  }
}
