import { type IncomingMessage, request } from 'node:http';
import { waitFor } from './wait-for.ts';

/** A frame of Server-Sent Events that carries data. */
export interface SseFrame {
  id: string;
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  data: any;
}

/** A client as the specification describes it, except that it does not reconnect. */
export interface SseClient {
  status: number;
  headers: IncomingMessage['headers'];
  frames: SseFrame[];
  types(): string[];
  /** What it would send as `Last-Event-ID`. */
  lastEventId(): string;
  /** Bare comment lines, which are heartbeats. */
  comments(): number;
  /** The raw stream. */
  text(): string;
  /** `ended` by HTTP, or `cut`. */
  closed: Promise<'ended' | 'cut'>;
  isClosed(): boolean;
  until(enough: (frames: SseFrame[]) => boolean, what?: string): Promise<void>;
  /** Reads no more. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** Resolves with the head of the answer, whatever its status. */
export async function openSse(
  url: string,
  options: { key: string; headers?: Record<string, string>; method?: string },
): Promise<SseClient> {
  const { key, headers = {}, method = 'GET' } = options;
  const asked = request(url, {
    method,
    agent: false,
    headers: { authorization: `Bearer ${key}`, ...headers },
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve).once('error', reject).end();
  });
  asked.on('error', () => {});
  const frames: SseFrame[] = [];
  let lastEventId = String(headers['last-event-id'] ?? '');
  let comments = 0;
  let text = '';
  let rest = '';
  let closedAs: 'ended' | 'cut' | undefined;

  const take = (block: string) => {
    const fields: Record<string, string> = {};
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) comments += 1;
      const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
      if (name !== undefined) fields[name] = value ?? '';
    }
    if (fields.id !== undefined) lastEventId = fields.id;
    if (fields.data === undefined) return;
    frames.push({ id: lastEventId, event: fields.event ?? 'message', data: JSON.parse(fields.data) });
  };
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) take(block);
  });
  response.on('error', () => {});
  const closed = new Promise<'ended' | 'cut'>((resolve) => {
    response.once('close', () => {
      closedAs = response.complete ? 'ended' : 'cut';
      resolve(closedAs);
    });
  });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    frames,
    types: () => frames.map(({ event }) => event),
    lastEventId: () => lastEventId,
    comments: () => comments,
    text: () => text,
    closed,
    isClosed: () => closedAs !== undefined,
    until: async (enough, what = 'the events') => {
      await waitFor(() => enough(frames), {
        what: `${what} after ${frames.map(({ event }) => event).slice(-5)}`,
      });
    },
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void asked.destroy(),
  };
}
