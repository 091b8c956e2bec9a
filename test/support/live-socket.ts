import { WebSocket } from 'ws';
import { waitFor } from './wait-for.ts';

/** A client of `/api/v1/live`. */
export interface LiveSocket {
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  messages: any[];
  /** The events of one subscription. */
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  events(subscription?: string): any[];
  say(message: unknown): void;
  until(type: string, count?: number): Promise<void>;
  pings(): number;
  closed: Promise<number>;
  close(): void;
}

/** Connects, and resolves when the connection is open. @throws with the status of a refused upgrade as `status` */
export async function openLiveSocket(url: string, headers: Record<string, string> = {}): Promise<LiveSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers });
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  const messages: any[] = [];
  let pings = 0;
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  socket.on('ping', () => {
    pings += 1;
  });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        reject(Object.assign(new Error(text), { status: response.statusCode, problem: JSON.parse(text) })),
      );
    });
    socket.on('error', reject);
  });
  return {
    messages,
    events: (subscription) =>
      messages
        .filter((said) => said.type === 'event' && (subscription ?? said.subscription) === said.subscription)
        .map(({ event }) => event),
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    until: async (type, count = 1) => {
      const enough = () => messages.filter((said) => said.type === type).length >= count;
      await waitFor(enough, { what: `${count} × ${type} after ${JSON.stringify(messages).slice(-500)}` });
    },
    pings: () => pings,
    closed,
    close: () => socket.close(),
  };
}
