import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

export interface ReceivedRequest {
  path: string;
  method: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Receiver {
  url: string;
  requests: ReceivedRequest[];
  /** Sets its answer; 204 by default. */
  answer(how: Answer | ((request: ReceivedRequest) => Answer)): void;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
  /** How long it takes to answer, in ms; default at once. */
  afterMs?: number;
  /** Never answers. */
  hang?: boolean;
}

/** A real HTTP server that records requests: a webhook's receiver, or a push service. */
export async function startReceiver(): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  let answer: (request: ReceivedRequest) => Answer = () => ({ status: 204 });
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { url = '', method = '', headers } = incoming;
    const request = { path: url, method, headers, body: Buffer.concat(chunks) };
    requests.push(request);
    const { status, headers: more, body, afterMs, hang } = answer(request);
    if (afterMs) await setTimeout(afterMs);
    if (!hang) outgoing.writeHead(status, more).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: (how) => {
      answer = typeof how === 'function' ? how : () => how;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
