import { setTimeout as sleep } from 'node:timers/promises';
import { readEvent } from '../../core/events/events.ts';
import { withoutNul } from '../../core/text.ts';
import { type Database, isDatabaseUnavailable, isSerializationFailure } from '../../db/connect.ts';
import { type CountedClick, storeClicks } from '../../db/links/clicks.ts';
import type { Delivery, Handler, HandlerOutcome } from '../../queue/queue.ts';
import { createBatcher } from '../../runtime/batch.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { readUserAgent } from './user-agent.ts';

/** Clicks per statement, and as many again that arrive while it runs. */
const BATCH = 1000;
export const CLICKS_PREFETCH = 2 * BATCH;
const PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;

/**
 * Counts clicks: those that wait together share a statement, and are acknowledged after its commit.
 * While the database is unavailable they are held, because a message requeued too often is
 * dead-lettered.
 */
export function createCountClicks(options: {
  database: Database;
  logger: Logger;
  stopping: AbortSignal;
}): Handler {
  const { database, logger, stopping } = options;
  // One run at a time: the database allows one writer of these counts.
  const store = createBatcher<CountedClick, HandlerOutcome>((clicks) => storeAll(clicks), {
    maxItems: BATCH,
    maxRuns: 1,
  });

  const storeAll = async (clicks: CountedClick[]): Promise<HandlerOutcome[]> => {
    try {
      await untilStored(clicks);
      return clicks.map(() => ACKNOWLEDGED);
    } catch (error) {
      if (stopping.aborted || isDatabaseUnavailable(error)) return clicks.map(() => REQUEUED);
      if (clicks.length === 1) {
        logger.error('click_not_counted', { event_id: clicks[0]?.id, error });
        return [{ kind: 'dead_letter', reason: `not counted: ${(error as Error).message}` }];
      }
      // One of the clicks is at fault: storing each by itself saves the others.
      const outcomes: HandlerOutcome[] = [];
      for (const click of clicks) outcomes.push(...(await storeAll([click])));
      return outcomes;
    }
  };
  const untilStored = async (clicks: CountedClick[]): Promise<void> => {
    for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        const stored = await storeClicks(database, clicks);
        logger.debug('clicks_stored', { stored, repeated: clicks.length - stored });
        return;
      } catch (error) {
        const passes = isDatabaseUnavailable(error) || isSerializationFailure(error);
        if (!passes || stopping.aborted) throw error;
        if (pauseMs === PAUSE_MS) logger.warn('clicks_wait_for_database', { clicks: clicks.length, error });
        await sleep(pauseMs, undefined, { signal: stopping }).catch(() => {});
      }
    }
  };

  return async (delivery) => {
    const read = readClick(delivery);
    return read.kind === 'click' ? store(read.click) : read;
  };
}

const ACKNOWLEDGED: HandlerOutcome = { kind: 'ack' };
const REQUEUED: HandlerOutcome = { kind: 'requeue' };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function readClick({ envelope }: Delivery): HandlerOutcome | { kind: 'click'; click: CountedClick } {
  const read = readEvent(envelope);
  if (read.kind === 'unknown_type') return ACKNOWLEDGED;
  if (read.kind === 'broken') return { kind: 'dead_letter', reason: read.reason };
  if (read.kind === 'unsupported_version') {
    return { kind: 'dead_letter', reason: `version ${read.version} is not known here` };
  }
  const { event } = read;
  if (event.type !== 'link.clicked') return ACKNOWLEDGED;
  const at = new Date(envelope.occurred_at);
  if (!UUID.test(envelope.id)) return { kind: 'dead_letter', reason: 'its id is no UUID' };
  if (Number.isNaN(at.getTime())) return { kind: 'dead_letter', reason: 'occurred_at is no moment' };
  const { link_id, kind, visitor, referrer, country } = event.data;
  const { family, device } = readUserAgent(event.data.user_agent);
  return {
    kind: 'click',
    click: {
      ...{ id: envelope.id, link_id, kind, visitor, country, device },
      clicked_at: at.toISOString(),
      referrer: referrer && withoutNul(referrer).slice(0, 255),
      user_agent: withoutNul(family),
    },
  };
}
