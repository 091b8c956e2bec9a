import { endsJob } from '../../core/events.ts';
import type { Sql } from '../../db/connect.ts';
import {
  BEGINNING,
  comparePlaces,
  type EventCursor,
  findLedgerEnd,
  type LedgerEvent,
  lastJobEvent,
  listJobEvents,
  listUserEvents,
} from '../../db/events.ts';
import { badEventCursor } from '../cursor.ts';
import type { Feed, Membership, Scope } from './feed.ts';
import { ToldEvent } from './told.ts';

/** Where a client's events go. Nothing here may throw. */
export interface Sink {
  /** Before the first event; `from` is the place behind which they begin. */
  begin(from: EventCursor): void;
  send(told: ToldEvent): void;
  /** Resolves when there is room for more, or when the client is gone. */
  room(): Promise<void>;
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

const PAGE = 200;
/** Events that come in while the past is read; more, and the past is read on instead. */
const MAX_PENDING = 1000;

/**
 * Sends a client its events: first from the ledger, at the client's own speed, then as they happen. The feed says up to which place
 * the ledger is to be read, and everything behind that place comes from the feed: no gap and no repeat. Resolves when
 * the client is up to date, and goes on until it is gone.
 *
 * @throws Problem 422 for a place the ledger has not reached
 */
export async function follow(
  { sql, feed }: { sql: Sql; feed: Feed },
  { scope, after, types }: Following,
  sink: Sink,
): Promise<void> {
  let place = after;
  let begun = false;
  let ended = false;

  const begin = (from: EventCursor) => {
    if (!begun) sink.begin(from);
    begun = true;
  };
  const end = (membership: Membership) => {
    ended = true;
    membership.leave();
    sink.end();
  };
  const send = (told: ToldEvent) => {
    if (!types || types.has(told.event.type)) sink.send(told);
  };

  /** Reads the ledger up to a place and sends it on; returns the type of the last event read. */
  const sendPast = async (upTo: EventCursor): Promise<string | null> => {
    let last: string | null = null;
    place ??= scope.kind === 'job' ? BEGINNING : upTo;
    while (comparePlaces(place, upTo) < 0 && !sink.gone.aborted) {
      const events = await readPart(sql, { scope, types, after: place, upTo });
      if (events.length > 0) begin(place);
      for (const event of events) send(new ToldEvent(event));
      const newest = events.at(-1);
      last = newest?.type ?? last;
      place = newest && events.length === PAGE ? placeOf(newest) : upTo;
      await sink.room();
    }
    return last;
  };

  /** From the past into the present; false where so much happened meanwhile that the past has to be read on. */
  const catchUp = async (): Promise<boolean> => {
    let pending: ToldEvent[] | undefined = [];
    let overflowed = false;
    const deliver = (told: ToldEvent) => {
      // A process may be behind another one, where this client was before.
      if (ended || (place && comparePlaces(told.event, place) <= 0)) return;
      place = placeOf(told.event);
      send(told);
      if (scope.kind === 'job' && endsJob(told.event.type)) end(membership);
    };
    const membership = await feed.join(scope, (told) => {
      if (!pending) deliver(told);
      else if (pending.length < MAX_PENDING) pending.push(told);
      else overflowed = true;
    });
    const { from, leave } = membership;
    try {
      if (after && comparePlaces(after, from) > 0) await expectReached(sql, after);
      const last = await sendPast(from);
      const over = scope.kind === 'job' && (await isOver(sql, scope.jobId, last, from));
      if (overflowed || sink.gone.aborted) {
        leave();
        return sink.gone.aborted;
      }
      // Nothing pending: a job that was over may have been run again just now.
      if (over && pending.length === 0) {
        end(membership);
        return true;
      }
    } catch (error) {
      leave();
      throw error;
    }
    sink.gone.addEventListener('abort', leave, { once: true });
    begin(place ?? from);
    const arrived = pending;
    pending = undefined;
    for (const told of arrived) deliver(told);
    return true;
  };

  while (!(await catchUp()));
}

const placeOf = ({ xid, seq }: EventCursor): EventCursor => ({ xid, seq });

/** Of a job all types, because the last one says whether it is over. */
const readPart = (
  sql: Sql,
  { scope, types, after, upTo }: Following & { upTo: EventCursor },
): Promise<LedgerEvent[]> => {
  const part = { after: after ?? BEGINNING, upTo, limit: PAGE };
  return scope.kind === 'job'
    ? listJobEvents(sql, scope.jobId, null, part)
    : listUserEvents(sql, scope.userId, types && [...types], part);
};

const isOver = async (sql: Sql, jobId: string, last: string | null, upTo: EventCursor): Promise<boolean> =>
  endsJob(last ?? (await lastJobEvent(sql, jobId, upTo)) ?? '');

/** Another process may be a moment ahead of this one; a transaction that has not begun is of another database. */
async function expectReached(sql: Sql, place: EventCursor): Promise<void> {
  const { nextXid } = await findLedgerEnd(sql);
  if (BigInt(place.xid) > BigInt(nextXid)) {
    throw badEventCursor('Last-Event-ID', 'this ledger has no such event');
  }
}
