import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A server's answer, byte for byte, and how its connection ends. */
export interface RawAnswer {
  bytes: Buffer;
  /** Default `close`. `keep`: the server waits for the next request. */
  end?: 'close' | 'reset' | 'keep';
  /** Chunk size in bytes. */
  pieces?: number;
}

/** A server on loopback that sends arbitrary bytes, as no HTTP library would. */
export interface RawSite {
  url: string;
  authority: string;
  /** Request lines and headers, in order. */
  requests: string[];
  connections(): number;
  close(): Promise<void>;
}

export async function startRawSite(answerTo: (path: string) => RawAnswer): Promise<RawSite> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end === -1) return;
      requests.push(received.slice(0, end));
      received = received.slice(end + 4);
      void say(socket, answerTo(requests.at(-1)?.split(' ')[1] ?? ''));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${authority}`,
    authority,
    requests,
    connections: () => connections,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function say(
  socket: Socket,
  { bytes, end = 'close', pieces = bytes.length }: RawAnswer,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieces) {
    await new Promise((resolve) => socket.write(bytes.subarray(at, at + pieces), resolve));
  }
  if (end === 'close') socket.end();
  // The written data has to arrive first: a reset discards what is still buffered.
  if (end === 'reset') setTimeout(() => socket.resetAndDestroy(), 100);
}
