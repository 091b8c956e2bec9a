import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { canonicalHost } from '../../runtime/address-policy.ts';
import type { EgressError, EgressGuard } from './guard.ts';
import type { UpstreamProxies } from './upstream-proxy.ts';

/** The way of one browser context through the proxy. */
export interface EgressClient {
  readonly username: string;
  readonly password: string;
  /** Whether a request came with these credentials: then the browser has learnt them, and sends them without being asked. */
  readonly isKnown: boolean;
  /** A page may take `maxBytes` in one response, or through its tunnels to one host. Several pages may be under way at once. */
  beginPage(maxBytes: number): EgressPage;
  /** Ends the client's connections; its credentials are worth nothing any more. */
  close(): void;
}

/** What happens to a client's connections while a page is under way. Pages at the same time share their notes: a host is a host. */
export interface EgressPage {
  /** Called when a connection was cut because of its size, with a way to ask which: `failureOf`. */
  onTooLarge: (() => void) | undefined;
  /** Why the host of this URL could not be reached, if the proxy is the one to know. */
  failureOf(url: string): EgressFailure | undefined;
  /** Connects and hangs up, for the note: Chromium refuses some ports before it asks the proxy. */
  probe(url: string): Promise<void>;
  /** The browser itself would not go there: to be logged and counted like what the proxy refuses. */
  reportBlocked(url: string): void;
  end(): void;
}

export interface ResponseMeter {
  announce(bytes: number): boolean;
  count(bytes: number): boolean;
}

export type EgressFailure = EgressError['code'] | 'page_too_large';

/** Where a connection goes. */
export interface Target {
  host: string;
  port: number;
}

/** The proxy's own side of a client: whose connections these are, and what their pages are told of them. */
export class ProxyClient implements EgressClient {
  readonly username = randomBytes(12).toString('hex');
  readonly password = randomBytes(24).toString('hex');
  closed = false;
  isKnown = false;
  readonly #sockets = new Set<Socket>();
  readonly #pages = new Set<ProxyPage>();

  constructor(
    private readonly options: {
      proxies: UpstreamProxies | undefined;
      onClose(): void;
      probe(target: Target): Promise<void>;
      reportBlocked: EgressGuard['reportBlocked'];
    },
  ) {}

  get proxies(): UpstreamProxies | undefined {
    return this.options.proxies;
  }

  beginPage(maxBytes: number): EgressPage {
    const page: ProxyPage = new ProxyPage(maxBytes, this.options, () => this.#pages.delete(page));
    this.#pages.add(page);
    return page;
  }

  note(target: Target, failure: EgressFailure): void {
    for (const page of this.#pages) page.note(target, failure);
  }

  forget(target: Target): void {
    for (const page of this.#pages) page.forget(target);
  }

  /** Counts the bytes of one response, and judges its length as announced: false once it is over the limit. */
  meterResponse(target: Target): ResponseMeter {
    let received = 0;
    const isAllowed = (bytes: number) => {
      if (bytes <= this.#maxBytes()) return true;
      this.note(target, 'page_too_large');
      return false;
    };
    return {
      announce: isAllowed,
      count: (bytes) => {
        received += bytes;
        return isAllowed(received);
      },
    };
  }

  /** What is in a tunnel cannot be told apart, so all tunnels to a host count together, for all pages there are. */
  meterTunnel(target: Target): (bytes: number) => boolean {
    return (bytes) => {
      let allowed = false;
      for (const page of this.#pages) {
        if (page.count(target, bytes) <= this.#maxBytes() * this.#pages.size) allowed = true;
      }
      // Between two pages nothing that comes is wanted, and little does.
      if (allowed || this.#pages.size === 0) return true;
      this.note(target, 'page_too_large');
      return false;
    };
  }

  adopt(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  close(): void {
    this.closed = true;
    for (const socket of this.#sockets) socket.destroy();
    this.options.onClose();
  }

  #maxBytes(): number {
    return Math.max(0, ...[...this.#pages].map(({ maxBytes }) => maxBytes));
  }
}

class ProxyPage implements EgressPage {
  onTooLarge: (() => void) | undefined;
  readonly #failures = new Map<string, EgressFailure>();
  readonly #tunnelled = new Map<string, number>();

  constructor(
    readonly maxBytes: number,
    private readonly proxy: {
      probe(target: Target): Promise<void>;
      reportBlocked: EgressGuard['reportBlocked'];
    },
    readonly end: () => void,
  ) {}

  failureOf(url: string): EgressFailure | undefined {
    const target = targetOf(url);
    return target ? this.#failures.get(keyOf(target)) : undefined;
  }

  async probe(url: string): Promise<void> {
    const target = targetOf(url);
    if (target) await this.proxy.probe(target);
  }

  reportBlocked(url: string): void {
    const { hostname, protocol } = URL.canParse(url) ? new URL(url) : { hostname: '', protocol: '' };
    this.proxy.reportBlocked({ host: hostname, protocol, reason: 'refused by the browser' });
  }

  note(target: Target, failure: EgressFailure): void {
    const known = this.#failures.get(keyOf(target));
    // The end of a connection cut for its size is not news.
    if (known === 'page_too_large') return;
    this.#failures.set(keyOf(target), failure);
    if (failure === 'page_too_large') this.onTooLarge?.();
  }

  forget(target: Target): void {
    if (this.#failures.get(keyOf(target)) !== 'page_too_large') this.#failures.delete(keyOf(target));
  }

  /** Bytes of this host so far. */
  count(target: Target, bytes: number): number {
    const received = (this.#tunnelled.get(keyOf(target)) ?? 0) + bytes;
    this.#tunnelled.set(keyOf(target), received);
    return received;
  }
}

const keyOf = (target: Target) => `${canonicalHost(target.host)}:${target.port}`;

function targetOf(url: string): Target | null {
  if (!URL.canParse(url)) return null;
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) };
}
