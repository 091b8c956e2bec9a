import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { parseUrl } from '../../core/parse-url.ts';
import { canonicalHost } from '../../runtime/address-policy.ts';
import type { EgressError, EgressGuard } from './guard.ts';
import type { UpstreamProxies } from './upstream-proxy.ts';

/** One browser context's credentials and traffic at the proxy. */
export interface EgressClient {
  readonly username: string;
  readonly password: string;
  /** Whether the browser has used these credentials: then it sends them without a challenge. */
  readonly isKnown: boolean;
  /** Starts metering a page: `maxBytes` per response, or per tunnelled host. Pages may overlap. */
  beginPage(maxBytes: number): EgressPage;
  /** Closes the client's connections and revokes its credentials. */
  close(): void;
}

/** A client's connections during one page. Concurrent pages share the failures noted per host. */
export interface EgressPage {
  /** Called when a connection was cut because of its size; `failureOf` tells which host's. */
  onTooLarge: (() => void) | undefined;
  /** Why the proxy could not reach the host of this URL; undefined if it could. */
  failureOf(url: string): EgressFailure | undefined;
  /**
   * Connects and closes, to note a failure: Chromium blocks some ports before it asks the proxy.
   */
  probe(url: string): Promise<void>;
  /** Logs and counts a request that the browser itself blocked. */
  reportBlocked(url: string): void;
  end(): void;
}

export interface ResponseMeter {
  announce(bytes: number): boolean;
  count(bytes: number): boolean;
}

export type EgressFailure = EgressError['code'] | 'page_too_large';

/** Host and port of a connection. */
export interface Target {
  host: string;
  port: number;
}

/** The proxy's side of a client: its connections, meters and noted failures. */
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

  /**
   * Counts the bytes of one response and checks its announced length: false once over the limit.
   */
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

  /**
   * Tunnelled responses are opaque, so all tunnels to a host count together, for all current pages.
   */
  meterTunnel(target: Target): (bytes: number) => boolean {
    return (bytes) => {
      let allowed = false;
      for (const page of this.#pages) {
        if (page.count(target, bytes) <= this.#maxBytes() * this.#pages.size) allowed = true;
      }
      // Between two pages there is little traffic, and no limit.
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
    const { hostname, protocol } = parseUrl(url) ?? { hostname: '', protocol: '' };
    this.proxy.reportBlocked({ host: hostname, protocol, reason: 'refused by the browser' });
  }

  note(target: Target, failure: EgressFailure): void {
    const known = this.#failures.get(keyOf(target));
    // A connection cut for its size fails afterwards too; the first reason is kept.
    if (known === 'page_too_large') return;
    this.#failures.set(keyOf(target), failure);
    if (failure === 'page_too_large') this.onTooLarge?.();
  }

  forget(target: Target): void {
    if (this.#failures.get(keyOf(target)) !== 'page_too_large') this.#failures.delete(keyOf(target));
  }

  /** Adds bytes and returns the host's total. */
  count(target: Target, bytes: number): number {
    const received = (this.#tunnelled.get(keyOf(target)) ?? 0) + bytes;
    this.#tunnelled.set(keyOf(target), received);
    return received;
  }
}

const keyOf = (target: Target) => `${canonicalHost(target.host)}:${target.port}`;

function targetOf(url: string): Target | null {
  const parsed = parseUrl(url);
  if (!parsed) return null;
  const { hostname, port, protocol } = parsed;
  return { host: hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) };
}
