import type { Channel, ChannelModel } from 'amqplib';
import type { Logger } from '../../runtime/log/logger.ts';
import { withTimeout } from '../../runtime/timeout.ts';
import { pause } from '../reconnect.ts';
import { closeChannel } from './channel.ts';
import type { RecoveringConnection } from './connection.ts';

/**
 * A channel that is reopened after the connection was lost, and after the broker closed it for any
 * reason.
 */
export interface RecoveringChannel {
  /**
   * Resolves when it is set up, after the first failed attempt, or at once if there is no
   * connection.
   */
  start(): Promise<void>;
  /** Closes it; unacknowledged deliveries go back to their queue. */
  stop(): Promise<void>;
}

const SET_UP_MS = 10_000;
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 4000;
const NOT_FOUND = 404;

export function createRecoveringChannel<C extends Channel>(options: {
  connection: RecoveringConnection;
  name: string;
  create(model: ChannelModel): Promise<C>;
  /** Prepares a new channel. `closed` fires when that channel closes, from either side. */
  setUp(channel: C, closed: AbortSignal): Promise<void>;
  logger: Logger;
}): RecoveringChannel {
  const { connection, create, setUp } = options;
  const logger = options.logger.with({ channel: options.name });
  const stopping = new AbortController();
  let current: C | undefined;
  let opening = false;
  /** A queue or exchange of the topology was deleted. */
  let missing = false;
  let attempted = () => {};
  const firstAttempt = new Promise<void>((resolve) => {
    attempted = resolve;
  });

  /** One loop at a time, however often it is called: each round reads the current connection. */
  const open = async () => {
    if (opening) return;
    opening = true;
    for (let failures = 0; !stopping.signal.aborted && !current; failures += 1) {
      if (missing) await declareMissing();
      else if (failures > 0)
        await pause(Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS), stopping.signal);
      const { current: model } = connection;
      // Without a connection there is nothing to try: `onReady` calls again.
      if (!model) break;
      try {
        await openOnce(model);
      } catch (error) {
        if (connection.current === model) logger.warn('channel_failed', { error });
      }
      attempted();
    }
    opening = false;
    attempted();
  };
  const declareMissing = async () => {
    missing = false;
    await connection.redeclare().catch((error) => logger.warn('declare_failed', { error }));
  };
  const openOnce = async (model: ChannelModel) => {
    const late = () => new Error('the broker opens no channel');
    const channel = await withTimeout(create(model), SET_UP_MS, late);
    const closed = new AbortController();
    channel.on('error', (error: Error & { code?: number }) => {
      logger.warn('channel_error', { error });
      if (error.code === NOT_FOUND) missing = true;
    });
    channel.on('close', () => {
      closed.abort();
      if (current === channel) {
        current = undefined;
        void pause(FIRST_RETRY_MS, stopping.signal).then(open);
      }
    });
    try {
      await withTimeout(setUp(channel, closed.signal), SET_UP_MS, late);
    } catch (error) {
      await closeChannel(channel);
      throw error;
    }
    if (closed.signal.aborted) throw new Error('the channel closed while it was set up');
    current = channel;
    if (stopping.signal.aborted) await closeChannel(channel);
  };

  connection.onReady(() => void open());
  return {
    start: () => {
      void open();
      return firstAttempt;
    },
    stop: async () => {
      stopping.abort();
      if (current) await closeChannel(current);
    },
  };
}
