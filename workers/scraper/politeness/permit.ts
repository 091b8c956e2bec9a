import type { Denied, RedirectDecision, RedirectPermission } from '../../../scraping/politeness/permit.ts';
import type { HostDecision, HostPermit } from './permit-batcher.ts';

/** Asked before a permit covers another URL. */
export interface PermitSource {
  /** Whether robots.txt allows the URL, and the gap in ms between two starts that it asks for. */
  robots(url: string, signal: AbortSignal): Promise<{ kind: 'granted'; gapMs: number } | Denied>;
  host(name: string, gapMs: number, signal: AbortSignal): Promise<HostDecision>;
}

/**
 * Permission to fetch one page: holds a permit of the page's host, and of every host that it is
 * redirected to, until it is disposed.
 */
export class Permit implements RedirectPermission {
  readonly kind = 'granted';
  readonly #held = new Map<string, HostPermit>();
  readonly #isOver = new AbortController();
  #deferred: { host: string; ms: number } | null = null;
  #pause: { host: string; ms: number };

  private constructor(
    private readonly firstHost: string,
    private readonly source: PermitSource,
    private readonly signal: AbortSignal,
  ) {
    this.#pause = { host: firstHost, ms: 0 };
  }

  /** @throws the signal's reason */
  static async acquire(url: string, source: PermitSource, signal: AbortSignal): Promise<Permit | Denied> {
    const permit = new Permit(new URL(url).host, source, signal);
    const decision = await permit.#cover(url, signal);
    return decision.kind === 'granted' ? permit : decision;
  }

  follow(url: string): Promise<RedirectDecision> {
    return this.#cover(url, AbortSignal.any([this.signal, this.#isOver.signal]));
  }

  async #cover(url: string, signal: AbortSignal): Promise<RedirectDecision> {
    const { host } = new URL(url);
    const robots = await this.source.robots(url, signal);
    if (robots.kind === 'wait') this.#deferred = { host, ms: robots.ms };
    if (robots.kind !== 'granted') return robots;
    if (this.#held.has(host)) return GRANTED;
    const decision = await this.source.host(host, robots.gapMs, signal);
    if (decision.kind === 'wait') {
      this.#deferred = { host, ms: decision.ms };
      return decision;
    }
    if (this.#isOver.signal.aborted) decision.release();
    else this.#held.set(host, decision);
    return GRANTED;
  }

  /** The last host that a redirect had to wait for: what was fetched without it is not the page. */
  get deferred(): { host: string; ms: number } | null {
    return this.#deferred;
  }

  /** Records that a host asked for a pause, in ms. */
  pause(ms: number, host: string): void {
    this.#pause = { host: this.#held.has(host) ? host : this.firstHost, ms };
  }

  [Symbol.dispose](): void {
    this.#isOver.abort(new Error('the page is over'));
    for (const [host, permit] of this.#held) permit.release(host === this.#pause.host ? this.#pause.ms : 0);
    this.#held.clear();
  }
}

const GRANTED = { kind: 'granted' } as const;
