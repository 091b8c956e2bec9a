import { connect, type Socket } from 'node:net';
import { EgressError } from './guard.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** A connection without traffic in either direction for this long is closed. */
const IDLE_TIMEOUT_MS = 300_000;

/** Dials the guard's addresses in their order. @throws EgressError with the most telling failure */
export async function dialFirst(addresses: string[], port: number): Promise<Socket> {
  let failure = new EgressError('connection_failed');
  for (const address of addresses) {
    try {
      return await dial(address, port);
    } catch (cause) {
      const refused = (cause as NodeJS.ErrnoException).code === 'ECONNREFUSED';
      // `connection_refused` is more telling than a later address without a route.
      if (refused || failure.code !== 'connection_refused') {
        failure = new EgressError(refused ? 'connection_refused' : 'connection_failed', { cause });
      }
    }
  }
  throw failure;
}

function dial(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true });
    const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), CONNECT_TIMEOUT_MS);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.on('error', () => socket.destroy());
      socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
      resolve(socket);
    });
  });
}
