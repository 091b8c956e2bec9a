import { connect, type Socket } from 'node:net';
import { now } from '../measure.ts';
import { serve } from './serve.ts';

/** Many clients of one event stream, on bare sockets: an HTTP client each would cost more than the server. */

interface Arrival {
  /** The job that was created. */
  key: string;
  at: number;
}

let arrivals: Arrival[] = [];
const sockets: Socket[] = [];
const CREATED = /"type":"job\.created".*?"job_id":"([0-9a-f-]{36})"/g;

serve({
  /** Opens streams, a hundred at a time; resolves when all have begun. */
  open: async ({ url, headers, count }: { url: string; headers: Record<string, string>; count: number }) => {
    for (let opened = 0; opened < count; opened += 100) {
      const some = Math.min(100, count - opened);
      await Promise.all(Array.from({ length: some }, () => openStream(url, headers)));
    }
  },

  /** When each stream got the event of each job since the last call. */
  arrivals: () => {
    const heard = arrivals;
    arrivals = [];
    return heard;
  },
});

function openStream(url: string, headers: Record<string, string>): Promise<void> {
  const { hostname, port, pathname } = new URL(url);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  sockets.push(socket);
  socket.setEncoding('latin1');
  socket.write(`GET ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n${lines.join('')}\r\n`);
  return new Promise((resolve, reject) => {
    let rest = '';
    socket.on('data', (chunk: string) => {
      const at = now();
      if (chunk.startsWith('HTTP/1.1 200')) resolve();
      else if (chunk.startsWith('HTTP/1.1')) reject(new Error(chunk));
      const text = rest + chunk;
      const end = text.lastIndexOf('\n\n') + 2;
      for (const [, key = ''] of text.slice(0, end).matchAll(CREATED)) arrivals.push({ key, at });
      rest = text.slice(end);
    });
    socket.once('error', reject);
  });
}

process.on('SIGTERM', () => process.exit(0));
process.send?.({ type: 'ready' });
