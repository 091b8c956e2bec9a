import { AmqpConnectionManagerClass } from 'amqp-connection-manager';
import { type ChannelModel, credentials } from 'amqplib';
import type { Logger } from '../../runtime/log/logger.ts';
import { createMutex, type Mutex } from '../../runtime/mutex.ts';
import { pause, reconnectDelayMs } from '../reconnect.ts';
import { closeConnection, dropConnection, writeTogether } from './channel.ts';
import { explainFailure } from './failure.ts';

/**
 * A connection that reconnects. amqp-connection-manager (ACM) watches and reopens the connection;
 * all above it, channels included, is implemented here: ACM's ChannelWrapper acknowledges on
 * whatever channel is open now (which loses messages), buffers without bound, and does not reopen a
 * channel that the broker closed.
 */
export interface RecoveringConnection {
  /** Resolves when ready, or after the first failed attempt; then it keeps retrying. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Undefined unless connected and prepared. */
  readonly current: ChannelModel | undefined;
  /**
   * Why nothing can be published now: no connection, or a broker that accepts no messages
   * (`blocked`).
   */
  readonly trouble: string | undefined;
  /** The listener is called for each prepared connection, and each time the broker is unblocked. */
  onReady(listener: () => void): void;
  /**
   * Declares the topology again after a queue was deleted. Concurrent calls share one run. Rejects
   * if it fails.
   */
  redeclare(): Promise<void>;
  /**
   * Runs one piece of work at a time: if the broker ends the connection, the running one is the
   * cause.
   */
  exclusively: Mutex;
}

export interface ConnectionOptions {
  url: string;
  name: string;
  heartbeatSeconds: number;
  connectionTimeoutMs: number;
  /** Makes a new connection usable (declares the topology). */
  prepare(connection: ChannelModel): Promise<void>;
  logger: Logger;
}

/** A lasting failure is logged again at this interval. */
const REMIND_MS = 60_000;
/**
 * RabbitMQ cancels the consumers of a deleted quorum queue after about 35 ms. If the queue exists
 * again by then (seen on 3.10.8), it moves the consumer over instead, and sends it messages that
 * never arrive. So the queue is not redeclared at once.
 */
const DELETED_QUEUE_MS = 500;

export function createRecoveringConnection(options: ConnectionOptions): RecoveringConnection {
  const { prepare } = options;
  const logger = options.logger.with({ connection: options.name, broker: addressOf(options.url) });
  const manager = createManager(options);
  const listeners: (() => void)[] = [];
  const stopping = new AbortController();
  let ready: ChannelModel | undefined;
  let blocked: string | undefined;
  let outage:
    | { reason: string; since: number; failures: number; logged?: { event: string; at: number } }
    | undefined = {
    reason: 'not connected yet',
    since: Date.now(),
    failures: 0,
  };
  let preparing: Promise<void> | undefined;
  let attempted: () => void = () => {};
  const firstAttempt = new Promise<void>((resolve) => {
    attempted = resolve;
  });

  const isCurrent = (connection: ChannelModel) =>
    manager.connection === connection && !stopping.signal.aborted;
  const announce = () => {
    for (const listener of listeners) listener();
  };

  const bringUp = async (connection: ChannelModel) => {
    while (isCurrent(connection)) {
      try {
        await prepare(connection);
        if (!isCurrent(connection)) return;
        up(connection);
        return;
      } catch (error) {
        if (!isCurrent(connection)) return;
        await pause(onFailure(error), stopping.signal);
        // A broker that does not answer on an open connection may have lost its state.
        if (isCurrent(connection) && /does not answer|opens no channel/.test(String(error))) {
          await dropConnection(connection);
        }
      }
    }
  };
  const up = (connection: ChannelModel) => {
    writeTogether(connection);
    ready = connection;
    logger.info('broker_connected', { after_ms: Date.now() - (outage?.since ?? Date.now()) });
    outage = undefined;
    attempted();
    announce();
  };
  /** Records and logs a failure; returns the delay before the next attempt in ms. */
  const onFailure = (error: unknown): number => {
    const { event, level, reason } = explainFailure(error);
    outage ??= { reason, since: Date.now(), failures: 0 };
    outage.reason = reason;
    outage.failures += 1;
    const retryInMs = Math.round(reconnectDelayMs(outage.failures));
    if (outage.logged?.event !== event || Date.now() - outage.logged.at > REMIND_MS) {
      outage.logged = { event, at: Date.now() };
      logger[level](event, { reason, failures: outage.failures, retry_in_ms: retryInMs });
    }
    attempted();
    return retryInMs;
  };
  const declareAgain = async () => {
    await pause(DELETED_QUEUE_MS, stopping.signal);
    if (!ready) throw new Error(outage?.reason ?? 'not connected');
    await prepare(ready);
  };
  /**
   * ACM reads `reconnectTimeInSeconds` right after these events, so setting it here makes a
   * back-off.
   */
  const retryLater = (error: unknown) => {
    ready = undefined;
    blocked = undefined;
    manager.reconnectTimeInSeconds = stopping.signal.aborted ? 0.001 : onFailure(error) / 1000;
  };

  manager.on('connect', () => {
    if (manager.connection) void bringUp(manager.connection);
  });
  manager.on('connectFailed', ({ err }) => retryLater(err));
  manager.on('disconnect', ({ err }) => retryLater(err ?? new Error('connection closed')));
  manager.on('blocked', ({ reason }) => {
    blocked = `the broker accepts no messages: ${reason}`;
    logger.warn('broker_blocked', { reason });
  });
  manager.on('unblocked', () => {
    blocked = undefined;
    logger.info('broker_unblocked');
    announce();
  });

  return {
    start: () => {
      // Rejects on wrong credentials while it keeps retrying; `connectFailed` has logged the
      // reason.
      manager.connect().catch(() => {});
      return firstAttempt;
    },
    stop: async () => {
      if (stopping.signal.aborted) return;
      stopping.abort();
      ready = undefined;
      outage = { reason: 'stopped', since: Date.now(), failures: 0 };
      attempted();
      const { connection } = manager;
      if (connection) await closeConnection(connection, () => manager.close());
      else void manager.close().catch(() => {});
    },
    get current() {
      return ready;
    },
    get trouble() {
      return outage?.reason ?? blocked;
    },
    onReady: (listener) => void listeners.push(listener),
    redeclare: () => {
      preparing ??= declareAgain().finally(() => {
        preparing = undefined;
      });
      return preparing;
    },
    exclusively: createMutex(),
  };
}

function createManager({ url, name, heartbeatSeconds, connectionTimeoutMs }: ConnectionOptions) {
  const { username, password } = new URL(url);
  return new AmqpConnectionManagerClass(url, {
    heartbeatIntervalInSeconds: heartbeatSeconds,
    reconnectTimeInSeconds: 1,
    connectionOptions: {
      timeout: connectionTimeoutMs,
      noDelay: true,
      keepAlive: true,
      keepAliveDelay: heartbeatSeconds * 1000,
      clientProperties: { connection_name: name },
      // amqplib would decode them with `unescape`, which breaks every password beyond ASCII.
      ...(username || password
        ? { credentials: credentials.plain(decodeURIComponent(username), decodeURIComponent(password)) }
        : {}),
    },
  });
}

function addressOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
