import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { now, percentile } from '../measure.ts';
import { serve } from './serve.ts';

/**
 * The load generator: keep-alive connections on bare sockets, one request at a time on each, the request made once. An HTTP
 * client would cost as much as the servers measured here.
 */
export interface LoadResult {
  perSecond: number;
  p50: number;
  p99: number;
  requests: number;
  /** Answers other than the one expected. */
  refused: number;
}

interface Target {
  url: string;
  headers: Record<string, string>;
  /** Undefined: a GET, that is answered 302. */
  body?: string;
}

interface LoadRequest extends Target {
  connections: number;
  /** Requests a second of all connections together; undefined: as many as there can be. */
  pace?: number;
  warmMs: number;
  ms: number;
}

serve({
  run: async ({ connections, pace, warmMs, ms, ...target }: LoadRequest): Promise<LoadResult> => {
    const begin = now() + warmMs;
    const end = begin + ms;
    const latencies: number[] = [];
    let refused = 0;
    const expected = target.body === undefined ? 302 : 202;
    const everyMs = pace === undefined ? 0 : (connections * 1000) / pace;
    const lane = async () => {
      const client = await openClient(target);
      let next = now() + Math.random() * everyMs;
      while (now() < end) {
        // A timer is up to a millisecond late; what was missed is made up for.
        if (next - now() > 1) await sleep(next - now());
        next += everyMs;
        const sentAt = now();
        const { status } = await client.request();
        const answeredAt = now();
        if (status !== expected) refused += 1;
        else if (answeredAt >= begin && answeredAt < end) latencies.push(answeredAt - sentAt);
      }
      client.close();
    };
    await Promise.all(Array.from({ length: connections }, lane));
    return {
      perSecond: (latencies.length * 1000) / ms,
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      requests: latencies.length,
      refused,
    };
  },

  /** One request at a time with random pauses; when each was sent, by the job's id. */
  one_by_one: async ({ samples, ...target }: Target & { samples: number }) => {
    const client = await openClient(target);
    const sent: { key: string; at: number }[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      await sleep(20 + Math.random() * 40);
      const at = now();
      const { status, body } = await client.request();
      if (status !== 202) throw new Error(`answered ${status}: ${body}`);
      sent.push({ key: (JSON.parse(body) as { job_id: string }).job_id, at });
    }
    client.close();
    return sent;
  },
});

interface Answer {
  status: number;
  body: string;
}

async function openClient({ url, headers, body }: Target) {
  const { hostname, port, pathname } = new URL(url);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const host = `host: ${hostname}:${port}\r\n`;
  const request = Buffer.from(
    body === undefined
      ? `GET ${pathname} HTTP/1.1\r\n${host}${lines.join('')}\r\n`
      : `POST ${pathname} HTTP/1.1\r\n${host}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${lines.join('')}\r\n${body}`,
  );
  const socket = await open(hostname, Number(port));
  let answer: (answer: Answer) => void = () => {};
  let fail: (error: Error) => void = () => {};
  let received = '';
  socket.on('data', (chunk: string) => {
    received += chunk;
    const parsed = parseAnswer(received);
    if (!parsed) return;
    received = '';
    answer(parsed);
  });
  socket.on('close', () => fail(new Error('the server closed the connection')));
  return {
    request: () =>
      new Promise<Answer>((resolve, reject) => {
        answer = resolve;
        fail = reject;
        socket.write(request);
      }),
    close: () => {
      fail = () => {};
      socket.destroy();
    },
  };
}

function open(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket));
    socket.setEncoding('latin1');
    socket.once('error', reject);
  });
}

/** Undefined until the answer is complete. Every server measured here sends a Content-Length. */
function parseAnswer(received: string): Answer | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const match = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, headEnd));
  if (!match) throw new Error(`no Content-Length in: ${received.slice(0, headEnd)}`);
  const bodyEnd = headEnd + 4 + Number(match[1]);
  if (received.length < bodyEnd) return undefined;
  return { status: Number(received.slice(9, 12)), body: received.slice(headEnd + 4, bodyEnd) };
}

process.on('SIGTERM', () => process.exit(0));
process.send?.({ type: 'ready' });
