import type pg from 'pg';
import type { Logger } from '../runtime/log/logger.ts';

/** Postgres' notifications of one channel, until `stop`. */
export interface Listening {
  stop(): Promise<void>;
}

export interface ListenOptions {
  /** Makes a connection that is not open yet. */
  open: () => pg.Client;
  /** One of our own names. */
  channel: string;
  onNotification: (payload: string) => void;
  logger: Logger;
}

const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/**
 * Listens on a connection of its own, because a pool's connection is anybody's, and opens it again
 * when it is lost. Notifications sent meanwhile are lost: the caller polls too, less often.
 */
export function startListening({ open, channel, onNotification, logger }: ListenOptions): Listening {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let pauseMs = SHORTEST_PAUSE_MS;
  let stopped = false;

  const connect = async (): Promise<void> => {
    const opening = open();
    client = opening;
    let lost = false;
    const onLost = (error?: Error) => {
      if (lost) return;
      lost = true;
      opening.end().catch(() => {});
      if (stopped) return;
      if (pauseMs === SHORTEST_PAUSE_MS) logger.warn('listening_interrupted', { channel, error });
      timer = setTimeout(() => void connect(), pauseMs);
      timer.unref();
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    };
    opening.on('error', onLost).on('end', () => onLost());
    opening.on('notification', ({ payload }) => onNotification(payload ?? ''));
    try {
      await opening.connect();
      await opening.query(`LISTEN ${channel}`);
      pauseMs = SHORTEST_PAUSE_MS;
    } catch (error) {
      onLost(error as Error);
    }
  };
  const connecting = connect();

  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await connecting;
      await client?.end().catch(() => {});
    },
  };
}
