import { setTimeout as sleep } from 'node:timers/promises';
import type { Envelope } from '../../../queue/envelope.ts';
import type { Queue } from '../../../queue/queue.ts';
import { eventExchange } from '../../../queue/topology.ts';
import type { Logger } from '../../../runtime/log/logger.ts';
import { createSpool } from './spool.ts';

/** Publishes clicks to the queue after the answers. */
export interface ClickPublisher<Click> {
  /** Neither blocks nor throws. */
  add(click: Click): void;
  start(): Promise<void>;
  /** Publishes or spools the rest. */
  stop(): Promise<void>;
  figures(): ClickFigures;
}

export interface ClickFigures {
  /** Confirmed by the queue. */
  published: number;
  /** Written to disk, because the queue was unavailable. */
  spooled: number;
  spoolBytes: number;
  /** Only in memory now: a kill -9 would lose them. */
  atRisk: number;
  /** Lost, because the spool was full. */
  dropped: number;
  /** Only in memory when a process was killed: an upper bound of the lost ones. */
  possiblyLost: number;
}

/**
 * Above RabbitMQ's window of unconfirmed messages, and enough for one statement and commit on
 * Postgres; built in about 2 ms.
 */
const GROUP = 500;
const MAX_GROUPS_IN_FLIGHT = 4;
/**
 * Clicks gather this long, since no client waits: most of a statement's cost is the same for one
 * and for a hundred.
 */
const GATHER_MS = 10;
/** Maximum in memory, waiting or in flight; the rest is spooled. Bounds what a kill can lose. */
const MAX_IN_MEMORY = 8000;
const DRAIN_MS = 500;
const NOTE_MS = 250;

export function createClickPublisher<Click>(options: {
  queue: Pick<Queue, 'publish' | 'health'>;
  /** A directory for clicks only, and this process's maximum bytes in it. */
  dir: string;
  spoolBytes: number;
  /** Called after the answers, for a whole group at once. */
  eventOf(click: Click): Envelope;
  logger: Logger;
}): ClickPublisher<Click> {
  const { queue, eventOf, logger } = options;
  const spool = createSpool({ dir: options.dir, maxBytes: options.spoolBytes, logger });
  const exchange = eventExchange('link.clicked');
  let waiting: Click[] = [];
  let inFlight = 0;
  const publishing = new Set<Promise<void>>();
  let scheduled = false;
  let gathering: NodeJS.Timeout | undefined;
  let failing = false;
  let drainTimer: NodeJS.Timeout | undefined;
  let noteTimer: NodeJS.Timeout | undefined;
  let draining: Promise<void> | undefined;
  let stopping = false;
  const counts = { published: 0, spooled: 0, dropped: 0 };

  const add = (click: Click) => {
    waiting.push(click);
    schedule();
  };
  const schedule = () => {
    if (scheduled) return;
    if (waiting.length < GROUP && !isAway()) {
      gathering ??= setTimeout(pump, GATHER_MS);
      return;
    }
    // After the other answers of this event loop iteration.
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
    while (waiting.length > 0 && publishing.size < MAX_GROUPS_IN_FLIGHT) {
      const group = waiting.slice(0, GROUP);
      waiting = waiting.slice(GROUP);
      send(group.map(eventOf));
    }
    const room = MAX_IN_MEMORY - inFlight;
    // Spool a whole group, not a few clicks per iteration.
    if (waiting.length > room) spill(waiting.splice(Math.max(0, room - GROUP)).map(eventOf));
  };
  const send = (group: Envelope[]) => {
    inFlight += group.length;
    const sent = publish(group)
      .catch((error) => {
        // Some may have been published: duplicates are counted once, by their ids.
        if (!failing) logger.warn('clicks_spooled', { error });
        failing = true;
        spill(group);
      })
      .finally(() => {
        inFlight -= group.length;
        publishing.delete(sent);
        if (waiting.length > 0) schedule();
      });
    publishing.add(sent);
  };
  const publish = async (group: Envelope[]) => {
    // While the queue is deleted and not yet declared, a click would be confirmed and lost.
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

  /** Spooled clicks yield to new ones: at full load each would push a new one to the spool. */
  const publishWhenFree = async (group: Envelope[]) => {
    while (publishing.size >= MAX_GROUPS_IN_FLIGHT && !stopping) await sleep(GATHER_MS);
    await publish(group);
  };
  const drain = async () => {
    if (!queue.health().healthy) return;
    try {
      await spool.drain(publishWhenFree);
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
    add,
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
        await Promise.allSettled(publishing);
      }
      await draining;
      spool.close();
    },
    figures: () => ({
      ...counts,
      spoolBytes: spool.bytes,
      atRisk: atRisk(),
      possiblyLost: spool.possiblyLost,
    }),
  };
}
