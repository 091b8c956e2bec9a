import { AmqpConnectionManagerClass } from 'amqp-connection-manager';
import { type ChannelModel, credentials } from 'amqplib';
import type { Logger } from '../../runtime/log/logger.ts';
import { pause, reconnectDelayMs } from '../reconnect.ts';
import { closeConnection, dropConnection, writeTogether } from './channel.ts';
import { explainFailure } from './failure.ts';

/**
 * One connection that comes back. amqp-connection-manager (ACM) watches and remakes the connection; everything above it, channels included, is
 * ours: its ChannelWrapper acknowledges on whatever channel is there now (which loses messages), buffers without bound, and
 * does not remake a channel that the broker closed.
 */
export interface Link {
  /** Resolves when ready, or after the first attempt has failed; then it goes on trying. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Undefined unless connected and prepared. */
  readonly connection: ChannelModel | undefined;
  /** Why nothing can be published now: no connection, or a broker that accepts no more (`blocked`). */
  readonly trouble: string | undefined;
  /** Called each time there is a prepared connection, and each time the broker accepts messages again. */
  onReady(listener: () => void): void;
  /** Prepares again, because somebody deleted a queue. Calls at the same time share one run. Rejects if it fails. */
  redeclare(): Promise<void>;
  /** Runs pieces of work one after the other: if the broker ends the connection, it was because of the one under way. */
  oneByOne<T>(work: () => Promise<T>): Promise<T>;
}

export interface LinkOptions {
  url: string;
  name: string;
  heartbeatSeconds: number;
  connectionTimeoutMs: number;
  /** Makes a fresh connection usable (declares the topology). */
  prepare(connection: ChannelModel): Promise<void>;
  logger: Logger;
}

/** A failure that lasts is told again this often. */
const REMIND_MS = 60_000;
/**
 * RabbitMQ tells the consumers of a deleted quorum queue after some 35 ms. If the queue is there again by then (tried on 3.10.8), it
 * moves the consumer over instead, which from then on is handed messages that never reach it. So: not at once.
 */
const DELETED_QUEUE_MS = 500;

export function createLink(options: LinkOptions): Link {
  const { prepare } = options;
  const logger = options.logger.with({ link: options.name, broker: addressOf(options.url) });
  const manager = createManager(options);
  const listeners: (() => void)[] = [];
  const stopping = new AbortController();
  let ready: ChannelModel | undefined;
  let blocked: string | undefined;
  let outage:
    | { reason: string; since: number; failures: number; told?: { event: string; at: number } }
    | undefined = {
    reason: 'not connected yet',
    since: Date.now(),
    failures: 0,
  };
  let preparing: Promise<void> | undefined;
  let lastTurn: Promise<unknown> = Promise.resolve();
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
        await pause(failed(error), stopping.signal);
        // A broker that answers nothing on an open connection may have forgotten it.
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
  /** Notes and tells a failure; returns how long to wait before the next attempt, in ms. */
  const failed = (error: unknown): number => {
    const { event, level, reason } = explainFailure(error);
    outage ??= { reason, since: Date.now(), failures: 0 };
    outage.reason = reason;
    outage.failures += 1;
    const retryInMs = Math.round(reconnectDelayMs(outage.failures));
    if (outage.told?.event !== event || Date.now() - outage.told.at > REMIND_MS) {
      outage.told = { event, at: Date.now() };
      logger[level](event, { reason, failures: outage.failures, retry_in_ms: retryInMs });
    }
    attempted();
    return retryInMs;
  };
  const redeclare = async () => {
    await pause(DELETED_QUEUE_MS, stopping.signal);
    if (!ready) throw new Error(outage?.reason ?? 'not connected');
    await prepare(ready);
  };
  /** ACM reads its fixed `reconnectTimeInSeconds` right after these events, so setting it there makes a back-off of it. */
  const retryLater = (error: unknown) => {
    ready = undefined;
    blocked = undefined;
    manager.reconnectTimeInSeconds = stopping.signal.aborted ? 0.001 : failed(error) / 1000;
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
      // Rejects on wrong credentials, while it goes on trying; `connectFailed` has told by then.
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
    get connection() {
      return ready;
    },
    get trouble() {
      return outage?.reason ?? blocked;
    },
    onReady: (listener) => void listeners.push(listener),
    redeclare: () => {
      preparing ??= redeclare().finally(() => {
        preparing = undefined;
      });
      return preparing;
    },
    oneByOne: (work) => {
      const turn = lastTurn.then(work);
      lastTurn = turn.catch(() => {});
      return turn;
    },
  };
}

function createManager({ url, name, heartbeatSeconds, connectionTimeoutMs }: LinkOptions) {
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
