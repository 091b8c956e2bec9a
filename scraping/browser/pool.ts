import type { BrowserContext } from 'playwright';
import { FatalError } from '../../core/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { EgressGuard } from '../egress/guard.ts';
import { createEgressProxy, type EgressProxy } from '../egress/proxy.ts';
import type { EgressClient } from '../egress/proxy-client.ts';
import { createProxyHealth, createUpstreamProxies, type ProxyHealth } from '../egress/upstream-proxy.ts';
import { createExtractor, type Extractor } from '../extraction/extractor.ts';
import { resolvesWithin } from '../fetching/deadline.ts';
import { PageFailure } from '../fetching/page-errors.ts';
import { type ChromiumProcess, endChromium, killChromium, launchChromium, VIEWPORT } from './chromium.ts';
import { BrowserSession, type SessionOptions } from './session.ts';
import { openTab, type Tab } from './tab.ts';

/**
 * Chromium for many jobs at once. A job opens a session; the session has one browser context, so that nothing is shared between
 * jobs, and in it as many tabs as the job may have, each showing the job's pages one after the other.
 *
 * A context with its first tab is made ready while others are at work: of the time a lone page takes, more than a third is the
 * start of its renderer. A browser that crashed is launched again at the next use. One that has shown some hundred pages is
 * retired: new contexts go to a new one, and it ends with its last context, because Chromium's memory is never all given back.
 */
export interface BrowserPool {
  /** Opens the egress proxy and launches Chromium, so that a machine where it cannot run says so at once.
   * @throws FatalError when Chromium cannot be launched; so do the pages of its sessions */
  start(): Promise<void>;
  /** Ends every Chromium, also one that hangs. Sessions still open fail with `browser_crashed`. Twice is safe. */
  stop(): Promise<void>;
  /** Of the Chromium that new pages go to. */
  readonly pid: number | undefined;
  openSession(options?: SessionOptions): BrowserSession;
  /** Turns HTML into what users asked for; lives and ends with the pool. */
  readonly extractor: Extractor;
}

export interface BrowserPoolOptions {
  executablePath: string;
  egress: EgressGuard;
  logger: Logger;
  /** Default 300. */
  recycleAfterPages?: number;
  /** What browsers say they are; unset: what Chromium says of itself. */
  userAgent?: string | undefined;
  /** For jobs that name no proxies of their own; unset: none. */
  proxies?: string[] | undefined;
  /** Shared with whoever else goes through the same proxies. */
  proxyHealth?: ProxyHealth | undefined;
}

export function createBrowserPool(options: BrowserPoolOptions): BrowserPool {
  return new Pool(options);
}

const RECYCLE_AFTER_PAGES = 300;
/** A Chromium that does not open a page within this time hangs. */
const OPEN_TIMEOUT_MS = 15_000;
const CLOSE_CONTEXT_TIMEOUT_MS = 3000;
/** A machine short of memory for a moment gets over it; a browser that was removed does not come back. */
const LAUNCHES_TO_GIVE_UP = 3;
const LAUNCH_PAUSE_MS = 500;

/** One Chromium from launch to end. */
export interface Generation {
  chromium: ChromiumProcess;
  contexts: number;
  pages: number;
  retired: boolean;
  /** Its process is no more; asking it for anything would only wait. */
  gone: boolean;
  crashed: Promise<never>;
  /** Made ahead, never used. */
  ready: Promise<Held> | undefined;
}

/** A browser context and where it lives. */
export interface Held {
  generation: Generation;
  context: BrowserContext;
  egress: EgressClient;
  /** Open and not in use. */
  idle: Tab[];
  busy: number;
}

export class Pool implements BrowserPool {
  readonly proxy: EgressProxy;
  readonly logger: Logger;
  readonly extractor = createExtractor();
  #current: Promise<Generation> | undefined;
  readonly #proxyHealth: ProxyHealth;
  #currentPid: number | undefined;
  #failedLaunches = 0;
  readonly #generations = new Set<Generation>();
  readonly #ending = new Set<Promise<void>>();
  #stopping: Promise<void> | undefined;

  constructor(private readonly options: BrowserPoolOptions) {
    this.logger = options.logger;
    this.#proxyHealth = options.proxyHealth ?? createProxyHealth();
    this.proxy = createEgressProxy({ guard: options.egress, logger: options.logger });
  }

  get pid(): number | undefined {
    return this.#currentPid;
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  async start(): Promise<void> {
    // Beside the launch, and nobody waits for it.
    this.extractor.warmUp();
    await this.proxy.start();
    this.#makeReady(await this.#generation());
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  openSession(options: SessionOptions = {}): BrowserSession {
    return new BrowserSession(this, options);
  }

  /** A context nobody has used, with an idle tab; `leave` ends it. */
  async enter(options: SessionOptions): Promise<Held> {
    for (;;) {
      const generation = await this.#generation();
      // A context is made with these; what else a session asks for is done to its pages.
      const isPlain = !options.identity && !options.proxies;
      const ready = isPlain ? generation.ready : undefined;
      if (ready) generation.ready = undefined;
      const held = await (ready ?? this.#open(generation, options));
      if (isPlain && !generation.retired) this.#makeReady(generation);
      if (!generation.gone) return held;
      if (!ready) throw new PageFailure('browser_crashed');
    }
  }

  async leave(held: Held): Promise<void> {
    const { generation } = held;
    // The pages still open end with it; a page that computes for ever ends with its browser.
    if (!generation.gone && !(await resolvesWithin(held.context.close(), CLOSE_CONTEXT_TIMEOUT_MS))) {
      this.kill(generation, 'does_not_close_pages');
    }
    for (const tab of held.idle) tab.discard();
    held.egress.close();
    generation.contexts -= 1;
    await this.#endIfLeft(generation);
  }

  countPage(generation: Generation): void {
    generation.pages += 1;
    if (generation.retired || generation.pages < (this.options.recycleAfterPages ?? RECYCLE_AFTER_PAGES))
      return;
    generation.retired = true;
    this.#current = undefined;
    this.logger.info('browser_retired', { browser_pid: generation.chromium.pid, pages: generation.pages });
    const { ready } = generation;
    generation.ready = undefined;
    ready?.then((held) => this.leave(held)).catch(() => {});
  }

  kill(generation: Generation, reason: string): void {
    if (!this.#generations.has(generation)) return;
    this.logger.warn('browser_killed', { browser_pid: generation.chromium.pid, reason });
    killChromium(generation.chromium.pid);
  }

  /** What every Chromium can do at once: one that cannot hangs, and is ended for everyone who waits for it. */
  async whileAlive<T>(generation: Generation, opening: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.kill(generation, 'does_not_open_pages'), OPEN_TIMEOUT_MS);
    try {
      return await Promise.race([generation.crashed, opening]);
    } catch (error) {
      opening.catch(() => {});
      if (error instanceof PageFailure || error instanceof FatalError) throw error;
      throw new PageFailure('browser_crashed', undefined, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  #makeReady(generation: Generation): void {
    if (generation.ready || this.#stopping) return;
    const ready = this.#open(generation, {});
    generation.ready = ready;
    ready.catch(() => {
      if (generation.ready === ready) generation.ready = undefined;
    });
  }

  async #open(generation: Generation, { identity, proxies }: SessionOptions): Promise<Held> {
    generation.contexts += 1;
    const egress = this.#openClient(proxies ?? this.options.proxies);
    try {
      const { userAgent } = this.options;
      const context = await this.whileAlive(
        generation,
        generation.chromium.browser.newContext({
          acceptDownloads: false,
          serviceWorkers: 'block',
          permissions: [],
          viewport: VIEWPORT,
          ...(userAgent ? { userAgent } : {}),
          ...identity,
        }),
      );
      const held: Held = { generation, context, egress, idle: [], busy: 0 };
      held.idle.push(await this.whileAlive(generation, openTab(held)));
      return held;
    } catch (error) {
      egress.close();
      generation.contexts -= 1;
      await this.#endIfLeft(generation);
      throw error;
    }
  }

  #openClient(urls: string[] = []): EgressClient {
    if (urls.length === 0) return this.proxy.openClient();
    const { egress: guard, logger } = this.options;
    return this.proxy.openClient(createUpstreamProxies({ urls, guard, health: this.#proxyHealth, logger }));
  }

  async #endIfLeft(generation: Generation): Promise<void> {
    if (generation.retired && !generation.gone && generation.contexts === 0) await this.#end(generation);
  }

  async #generation(): Promise<Generation> {
    if (this.#stopping) throw new PageFailure('browser_crashed', 'the browser is being stopped');
    if (!this.#current) {
      // Everyone who comes while it launches waits for the same one; a failed launch is not kept.
      const launching = this.#launch();
      this.#current = launching;
      launching.catch(() => {
        if (this.#current === launching) this.#current = undefined;
      });
    }
    return await this.#current;
  }

  async #launch(): Promise<Generation> {
    const startedAt = Date.now();
    await this.proxy.start();
    const chromium = await this.#launchChromium();
    const { browser, pid } = chromium;
    const crashed = new Promise<never>((_, reject) => {
      browser.on('disconnected', () => reject(new PageFailure('browser_crashed')));
    });
    crashed.catch(() => {});
    const generation: Generation = {
      ...{ chromium, contexts: 0, pages: 0, retired: false, gone: false, crashed },
      ready: undefined,
    };
    this.#generations.add(generation);
    this.#currentPid = pid;
    browser.on('disconnected', () => this.#onGone(generation));
    this.logger.info('browser_launched', {
      browser_pid: pid,
      version: browser.version(),
      duration_ms: Date.now() - startedAt,
    });
    if (this.#stopping) await this.#end(generation);
    return generation;
  }

  /** @throws FatalError once it is plain that trying again is of no use */
  async #launchChromium(): Promise<ChromiumProcess> {
    for (let tries = 1; ; tries++) {
      try {
        const chromium = await launchChromium({
          executablePath: this.options.executablePath,
          proxyAddress: this.proxy.address,
        });
        this.#failedLaunches = 0;
        return chromium;
      } catch (error) {
        this.#failedLaunches += 1;
        this.logger.warn('browser_not_launched', { error, tries });
        if (this.#stopping || this.#failedLaunches >= LAUNCHES_TO_GIVE_UP)
          throw new FatalError(
            'browser_unusable',
            `Chromium could not be launched (${this.options.executablePath})`,
            { cause: error },
          );
        await new Promise((resolve) => setTimeout(resolve, LAUNCH_PAUSE_MS * tries));
      }
    }
  }

  #onGone(generation: Generation): void {
    const { pid } = generation.chromium;
    const expected = this.#stopping !== undefined || (generation.retired && generation.contexts === 0);
    if (this.#currentPid === pid) this.#currentPid = undefined;
    if (!generation.retired) this.#current = undefined;
    generation.retired = true;
    generation.gone = true;
    this.#generations.delete(generation);
    if (expected) return;
    this.logger.warn('browser_crashed', { browser_pid: pid, contexts: generation.contexts });
    // What is left of its process tree serves nobody; `stop` waits until it is gone.
    killChromium(pid);
    void this.#end(generation);
  }

  async #end(generation: Generation): Promise<void> {
    const ending = endChromium(generation.chromium);
    this.#ending.add(ending);
    await ending;
    this.#ending.delete(ending);
  }

  async #stop(): Promise<void> {
    await this.#current?.catch(() => {});
    await Promise.all([...this.#generations].map((generation) => this.#end(generation)));
    await Promise.all(this.#ending);
    await this.extractor.stop();
    await this.proxy.stop();
  }
}
