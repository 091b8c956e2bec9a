import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

/** A connection between two processes that can fail in every way a network does. */
export interface ChaosProxy {
  port: number;
  /** Ends every connection and refuses new ones, as a server that is down does. */
  cut(): void;
  /**
   * Half-open: connections stay and new ones are made, but nothing arrives, not even that the other
   * end is gone.
   */
  stall(): void;
  /** Everything arrives this much later, in both directions. */
  slow(delayMs: number): void;
  /** Back to normal. What a stall held back arrives now. */
  restore(): void;
  /** Ends every connection once; new ones work. */
  reset(): void;
  close(): Promise<void>;
}

type Way = { kind: 'open' } | { kind: 'cut' } | { kind: 'stalled' } | { kind: 'slow'; delayMs: number };

export async function startChaosProxy(target: { host: string; port: number }): Promise<ChaosProxy> {
  let way: Way = { kind: 'open' };
  const open = new Set<Socket>();
  const pumps = new Set<Pump>();

  const server = createServer((client) => {
    if (way.kind === 'cut') {
      client.destroy();
      return;
    }
    const upstream = dial(target);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.setNoDelay(true);
      from.on('error', () => {});
      const pump = createPump(from, to, () => way);
      pumps.add(pump);
      from.on('close', () => {
        open.delete(from);
        pumps.delete(pump);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const switchTo = (next: Way) => {
    way = next;
    for (const pump of pumps) pump.flush();
  };
  const reset = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      way = { kind: 'cut' };
      reset();
    },
    stall: () => switchTo({ kind: 'stalled' }),
    slow: (delayMs) => switchTo({ kind: 'slow', delayMs }),
    restore: () => switchTo({ kind: 'open' }),
    reset,
    close: async () => {
      reset();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One direction of one connection, in order. */
interface Pump {
  flush(): void;
}

function createPump(from: Socket, to: Socket, way: () => Way): Pump {
  /** `null` is the end of the connection, which a stalled network does not deliver either. */
  const held: { chunk: Buffer | null; dueAt: number }[] = [];
  let timer: NodeJS.Timeout | undefined;

  const flush = () => {
    clearTimeout(timer);
    for (let next = held[0]; next; next = held[0]) {
      if (way().kind === 'stalled') return;
      const earlyMs = next.dueAt - performance.now();
      if (earlyMs > 0 && way().kind === 'slow') {
        timer = setTimeout(flush, earlyMs);
        return;
      }
      held.shift();
      if (next.chunk === null) to.destroy();
      else if (!to.destroyed && !to.write(next.chunk)) pause();
    }
  };
  const pause = () => {
    from.pause();
    to.once('drain', () => from.resume());
  };
  const hold = (chunk: Buffer | null) => {
    const current = way();
    held.push({ chunk, dueAt: performance.now() + (current.kind === 'slow' ? current.delayMs : 0) });
    flush();
  };
  from.on('data', hold);
  from.on('end', () => hold(null));
  from.on('close', () => hold(null));
  return { flush };
}

/** The same address through the proxy. */
export function through(proxy: Pick<ChaosProxy, 'port'>, url: string): string {
  const proxied = new URL(url);
  proxied.port = String(proxy.port);
  return proxied.href;
}
