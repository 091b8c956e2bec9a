import { setTimeout as sleep } from 'node:timers/promises';
import type { Envelope } from '../../../queue/envelope.ts';
import type { Queue } from '../../../queue/queue.ts';
import { eventExchange } from '../../../queue/topology.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import { createSpool } from './spool.ts';

/** Takes clicks to the queue, behind the back of whoever made them. */
export interface Outbox<Click> {
  /** Neither waits nor throws. */
  tell(click: Click): void;
  start(): Promise<void>;
  /** Sends or writes down what is left. */
  stop(): Promise<void>;
  figures(): OutboxFigures;
}

export interface OutboxFigures {
  /** Confirmed by the queue. */
  published: number;
  /** Written to the disk, since the queue did not take them. */
  spooled: number;
  spoolBytes: number;
  /** In memory alone at this moment: so many a kill -9 would lose. */
  atRisk: number;
  /** Had no room anywhere. */
  dropped: number;
  /** That killed processes had in memory alone: at most so many were lost. */
  uncertain: number;
}

/** More than the window of unconfirmed messages on RabbitMQ, and of one statement and its commit on Postgres; made ready in some 2 ms. */
const GROUP = 500;
const GROUPS_UNDER_WAY = 4;
/** So long they gather, for nobody waits for them: much of what a statement or a write costs is the same for one and for a hundred. */
const GATHER_MS = 10;
/** In memory, under way or not; what is more goes to the disk. Bounds what a kill can take. */
const MAX_IN_MEMORY = 8000;
const DRAIN_MS = 500;
const NOTE_MS = 250;

export function createOutbox<Click>(options: {
  queue: Pick<Queue, 'publish' | 'health'>;
  /** A folder for clicks alone, and how much it may hold of this process. */
  dir: string;
  spoolBytes: number;
  /** Is called behind the answers, for all that were gathered together. */
  eventOf(click: Click): Envelope;
  logger: Logger;
}): Outbox<Click> {
  const { queue, eventOf, logger } = options;
  const spool = createSpool({ dir: options.dir, maxBytes: options.spoolBytes, logger });
  const exchange = eventExchange('link.clicked');
  let waiting: Click[] = [];
  let inFlight = 0;
  const underWay = new Set<Promise<void>>();
  let scheduled = false;
  let gathering: NodeJS.Timeout | undefined;
  let failing = false;
  let drainTimer: NodeJS.Timeout | undefined;
  let noteTimer: NodeJS.Timeout | undefined;
  let draining: Promise<void> | undefined;
  let stopping = false;
  const counts = { published: 0, spooled: 0, dropped: 0 };

  const tell = (click: Click) => {
    waiting.push(click);
    schedule();
  };
  const schedule = () => {
    if (scheduled) return;
    if (waiting.length < GROUP && !isAway()) {
      gathering ??= setTimeout(pump, GATHER_MS);
      return;
    }
    // Behind the other answers of this turn of the event loop.
    scheduled = true;
    setImmediate(pump);
  };
  const isAway = () => failing || !queue.health().healthy;
  const pump = () => {
    scheduled = false;
    clearTimeout(gathering);
    gathering = undefined;
    if (isAway()) {
      spill(waiting.map(eventOf));
      waiting = [];
      return;
    }
    while (waiting.length > 0 && underWay.size < GROUPS_UNDER_WAY) {
      const group = waiting.slice(0, GROUP);
      waiting = waiting.slice(GROUP);
      send(group.map(eventOf));
    }
    const room = MAX_IN_MEMORY - inFlight;
    // A whole group, and not the few of each turn that are too many.
    if (waiting.length > room) spill(waiting.splice(Math.max(0, room - GROUP)).map(eventOf));
  };
  const send = (group: Envelope[]) => {
    inFlight += group.length;
    const sent = publish(group)
      .catch((error) => {
        // Some may have arrived: those that come twice are counted once, by their ids.
        if (!failing) logger.warn('clicks_spooled', { error });
        failing = true;
        spill(group);
      })
      .finally(() => {
        inFlight -= group.length;
        underWay.delete(sent);
        if (waiting.length > 0) schedule();
      });
    underWay.add(sent);
  };
  const publish = async (group: Envelope[]) => {
    // Between a queue's deletion and its next declaration a click would be confirmed and gone.
    const mandatory = true;
    await queue.publish(
      group.map((envelope) => ({ exchange, routingKey: envelope.type, mandatory, envelope })),
    );
    counts.published += group.length;
  };
  const spill = (clicks: Envelope[]) => {
    if (clicks.length === 0) return;
    const taken = spool.append(clicks);
    counts.spooled += taken;
    const dropped = clicks.length - taken;
    if (dropped === 0) return;
    if (counts.dropped === 0) logger.error('clicks_dropped', { spool_bytes: spool.bytes });
    counts.dropped += dropped;
  };

  /** While the queue is full to the brim, each one from the disk would send another there. */
  const publishBehindOthers = async (group: Envelope[]) => {
    while (underWay.size >= GROUPS_UNDER_WAY && !stopping) await sleep(GATHER_MS);
    await publish(group);
  };
  const drain = async () => {
    if (!queue.health().healthy) return;
    try {
      await spool.drain(publishBehindOthers);
      if (failing) logger.info('click_publish_recovered', { ...counts });
      failing = false;
    } catch (error) {
      logger.debug('clicks_not_drained', { error });
    }
  };
  const drainOften = () => {
    drainTimer = setTimeout(async () => {
      draining = drain();
      await draining;
      if (!stopping) drainOften();
    }, DRAIN_MS);
  };
  const atRisk = () => waiting.length + inFlight;

  return {
    tell,
    start: async () => {
      drainOften();
      noteTimer = setInterval(() => spool.noteAtRisk(atRisk()), NOTE_MS);
    },
    stop: async () => {
      stopping = true;
      clearTimeout(drainTimer);
      clearInterval(noteTimer);
      while (atRisk() > 0) {
        pump();
        await Promise.allSettled(underWay);
      }
      await draining;
      spool.close();
    },
    figures: () => ({
      ...counts,
      spoolBytes: spool.bytes,
      atRisk: atRisk(),
      uncertain: spool.uncertain,
    }),
  };
}
