import type { Channel, ChannelModel } from 'amqplib';
import type { Logger } from '../../runtime/log/logger.ts';
import { withTimeout } from '../../runtime/timeout.ts';
import { pause } from '../reconnect.ts';
import { closeChannel } from './channel.ts';
import type { Link } from './connection.ts';

/** A channel that is made again after the connection was away, and after the broker closed it for whatever reason. */
export interface RecoveringChannel {
  /** Resolves when it is set up, or after the first attempt has failed, or at once while there is no connection. */
  start(): Promise<void>;
  /** Closes it; unacknowledged deliveries go back to their queue. */
  stop(): Promise<void>;
}

const SET_UP_MS = 10_000;
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 4000;
const NOT_FOUND = 404;

export function createRecoveringChannel<C extends Channel>(options: {
  link: Link;
  name: string;
  create(connection: ChannelModel): Promise<C>;
  /** Attaches to a fresh channel. `closed` fires when that channel is gone, whoever closed it. */
  setUp(channel: C, closed: AbortSignal): Promise<void>;
  logger: Logger;
}): RecoveringChannel {
  const { link, create, setUp } = options;
  const logger = options.logger.with({ channel: options.name });
  const stopping = new AbortController();
  let current: C | undefined;
  let opening = false;
  /** Somebody deleted a queue or an exchange of ours. */
  let missing = false;
  let attempted = () => {};
  const firstAttempt = new Promise<void>((resolve) => {
    attempted = resolve;
  });

  /** One loop at a time, however often it is asked for: it looks at the link anew in each round. */
  const open = async () => {
    if (opening) return;
    opening = true;
    for (let failures = 0; !stopping.signal.aborted && !current; failures += 1) {
      if (missing) await declareAgain();
      else if (failures > 0)
        await pause(Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS), stopping.signal);
      const { connection } = link;
      // Without a connection there is nothing to try: the link calls again.
      if (!connection) break;
      try {
        await openOnce(connection);
      } catch (error) {
        if (link.connection === connection) logger.warn('channel_failed', { error });
      }
      attempted();
    }
    opening = false;
    attempted();
  };
  const declareAgain = async () => {
    missing = false;
    await link.redeclare().catch((error) => logger.warn('declare_failed', { error }));
  };
  const openOnce = async (connection: ChannelModel) => {
    const late = () => new Error('the broker opens no channel');
    const channel = await withTimeout(create(connection), SET_UP_MS, late);
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

  link.onReady(() => void open());
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
