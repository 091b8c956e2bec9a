import type { Socket } from 'node:net';
import type { Channel, ChannelModel } from 'amqplib';
import { withTimeout } from '../../runtime/timeout.ts';

/** Far above what a healthy broker needs, and short enough for an operator who waits. */
const OPERATION_MS = 10_000;
const CLOSE_MS = 2000;

/**
 * Runs work on a channel of its own. An operation the broker refuses (a queue that is missing or
 * declared with other arguments) closes its channel, so it must not share one with publishing or
 * consuming.
 */
export async function withChannel<T>(
  connection: ChannelModel,
  work: (channel: Channel) => Promise<T>,
): Promise<T> {
  const opened = connection.createChannel();
  const channel = await withTimeout(opened, OPERATION_MS, () => new Error('the broker opens no channel'));
  // The pending operation rejects with the same error; without a listener it would fail the
  // connection.
  channel.on('error', () => {});
  try {
    return await withTimeout(work(channel), OPERATION_MS, () => new Error('the broker does not answer'));
  } finally {
    await closeChannel(channel);
  }
}

/**
 * Never rejects. Bounded: amqplib drops the callback of a close if the connection ends meanwhile.
 */
export async function closeChannel(channel: Channel): Promise<void> {
  await withTimeout(channel.close(), CLOSE_MS, () => new Error('late')).catch(() => {});
}

/** The same for a connection; if the broker does not answer, its socket is destroyed. */
export async function closeConnection(connection: ChannelModel, close: () => Promise<void>): Promise<void> {
  await withTimeout(close(), CLOSE_MS, () => new Error('late')).catch(() => destroySocket(connection));
}

/** Ends a connection that is open but unusable; the listener of its `close` event reconnects. */
export const dropConnection = (connection: ChannelModel): Promise<void> =>
  closeConnection(connection, () => connection.close());

/**
 * amqplib writes each frame separately, three per message. This sends all frames of one event-loop
 * tick in one write, which saves a third of the broker's work for a small message and a fifth of
 * ours.
 */
export function writeTogether(connection: ChannelModel): void {
  const stream = streamOf(connection);
  if (!stream) return;
  const write = stream.write;
  let corked = false;
  stream.write = function (this: Socket, ...args: Parameters<Socket['write']>) {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(() => {
        corked = false;
        stream.uncork();
      });
    }
    return write.apply(this, args);
  } as Socket['write'];
}

/** The error is needed: amqplib does not notice a socket that closes without one. */
function destroySocket(connection: ChannelModel): void {
  streamOf(connection)?.destroy(new Error('the broker does not answer'));
}

/** Not in amqplib's types. */
const streamOf = (connection: ChannelModel): Socket | undefined =>
  (connection.connection as { stream?: Socket }).stream;
