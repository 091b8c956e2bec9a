import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../measure.ts';
import { serve } from './serve.ts';

/**
 * The load generator: keep-alive connections on bare sockets, one request at a time on each, the
 * request built once. An HTTP client would cost as much as the servers measured here.
 */
export interface LoadResult {
  perSecond: number;
  p50: number;
  p99: number;
  requests: number;
  /** Unexpected answers. */
  refused: number;
}

interface Target {
  url: string;
  headers: Record<string, string>;
  /** Undefined: a GET that is answered 302. */
  body?: string;
}

interface LoadRequest extends Target {
  connections: number;
  /** Requests per second of all connections together; undefined: unlimited. */
  pace?: number;
  warmMs: number;
  ms: number;
}

serve({
  run: async ({ connections, pace, warmMs, ms, ...target }: LoadRequest): Promise<LoadResult> => {
    const clients = await Promise.all(Array.from({ length: connections }, () => openClient(target)));
    const begin = performance.now() + warmMs;
    const end = begin + ms;
    const latencies: number[] = [];
    let refused = 0;
    const expected = target.body === undefined ? 302 : 202;
    const count = (status: number, from: number, answeredAt: number) => {
      if (status !== expected) refused += 1;
      else if (answeredAt >= begin && answeredAt < end) latencies.push(answeredAt - from);
    };
    await (pace ? atPace(clients, pace, end, count) : asFastAsCanBe(clients, end, count));
    for (const client of clients) client.close();
    const sorted = Float64Array.from(latencies).sort();
    return {
      perSecond: (sorted.length * 1000) / ms,
      p50: nearestRank(sorted, 0.5),
      p99: nearestRank(sorted, 0.99),
      requests: sorted.length,
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
      const { status, body } = await new Promise<Answer>(client.request);
      if (status !== 202) throw new Error(`answered ${status}: ${body}`);
      sent.push({ key: (JSON.parse(body) as { job_id: string }).job_id, at });
    }
    client.close();
    return sent;
  },
});

type Count = (status: number, from: number, answeredAt: number) => void;

/** Each connection sends the next request as soon as it has its answer. */
function asFastAsCanBe(clients: Client[], end: number, count: Count): Promise<unknown> {
  const worker = (client: Client) =>
    new Promise<void>((resolve) => {
      const ask = () => {
        const sentAt = performance.now();
        if (sentAt >= end) {
          resolve();
          return;
        }
        client.request(({ status }) => {
          count(status, sentAt, performance.now());
          ask();
        });
      };
      ask();
    });
  return Promise.all(clients.map(worker));
}

/**
 * A fixed rate, whether or not earlier requests were answered, each on the first free connection;
 * latency counts from when a request was due, not when it could be sent. So a server that stalls
 * for a moment pays for all requests of that moment. Timers have a resolution of a millisecond:
 * requests due in the same one are sent together.
 */
async function atPace(clients: Client[], pace: number, end: number, count: Count): Promise<void> {
  const everyMs = 1000 / pace;
  const free = [...clients];
  const begin = performance.now();
  let asked = 0;
  let answered = 0;
  const ask = () => {
    for (const now = performance.now(); free.length > 0; asked += 1) {
      const dueAt = begin + asked * everyMs;
      if (dueAt > now || dueAt >= end) return;
      const client = free.pop();
      client?.request(({ status }) => {
        answered += 1;
        count(status, dueAt, performance.now());
        free.push(client);
        ask();
      });
    }
  };
  while (performance.now() < end || answered < asked) {
    ask();
    await sleep(1);
  }
}

const nearestRank = (sorted: Float64Array, share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;

interface Answer {
  status: number;
  body: string;
}

interface Client {
  /** One at a time. */
  request(done: (answer: Answer) => void): void;
  close(): void;
}

/**
 * Reads into a buffer of its own, bypassing Node's streams: a request costs a write, a read and
 * little more.
 */
async function openClient({ url, headers, body }: Target): Promise<Client> {
  const { hostname, port, pathname } = new URL(url);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const host = `host: ${hostname}:${port}\r\n`;
  const request = Buffer.from(
    body === undefined
      ? `GET ${pathname} HTTP/1.1\r\n${host}${lines.join('')}\r\n`
      : `POST ${pathname} HTTP/1.1\r\n${host}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${lines.join('')}\r\n${body}`,
  );
  let answer: (answer: Answer) => void = () => {};
  let received = '';
  /** After an answer without a body, the next one has the same length; only its status is read. */
  let bareLength = 0;
  const onData = (length: number, buffer: Uint8Array): boolean => {
    const chunk = buffer as Buffer;
    if (received === '' && length === bareLength) {
      answer({ status: Number(chunk.toString('latin1', 9, 12)), body: '' });
      return true;
    }
    received += chunk.toString('latin1', 0, length);
    const parsed = parseAnswer(received);
    if (!parsed) return true;
    if (parsed.body === '') bareLength = received.length;
    received = '';
    answer(parsed);
    return true;
  };
  const socket = await open(hostname, Number(port), onData);
  const broken = () => {
    throw new Error('the server closed the connection');
  };
  socket.on('close', broken);
  return {
    request: (done) => {
      answer = done;
      socket.write(request);
    },
    close: () => {
      socket.off('close', broken);
      socket.destroy();
    },
  };
}

function open(
  host: string,
  port: number,
  callback: (length: number, buffer: Uint8Array) => boolean,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onread = { buffer: Buffer.allocUnsafe(64 * 1024), callback };
    const socket = connect({ host, port, noDelay: true, onread }, () => resolve(socket));
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
