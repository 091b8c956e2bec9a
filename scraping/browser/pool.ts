import { FatalError } from '../../core/errors.ts';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import type { EgressGuard } from '../egress/guard.ts';
import { createEgressProxy, type EgressProxy } from '../egress/proxy.ts';
import type { EgressClient } from '../egress/proxy-client.ts';
import { createProxyHealth, createUpstreamProxies, type ProxyHealth } from '../egress/upstream-proxy.ts';
import { createExtractor, type Extractor } from '../extraction/extractor.ts';
import { BrowserInstance, type ContextHandle } from './instance.ts';
import {
  type ChromiumProcess,
  endChromium,
  killChromium,
  launchChromium,
  rendererPid,
} from './process/chromium.ts';
import { explainSandboxFailure, readSandbox, type Sandbox, sandboxObstacle } from './process/sandbox.ts';
import { BrowserSession, type ContextSource, type SessionOptions } from './session.ts';

/**
 * Chromium for many jobs at once. A job opens a session with one browser context, so that jobs
 * share nothing, and up to `tabs` tabs in it, each of which loads the job's pages one after the
 * other.
 *
 * The next context and its first tab are opened in advance: starting a renderer is more than a
 * third of the time of a single page. A crashed browser is relaunched at the next use. A browser
 * that has loaded some hundred pages is retired: new contexts go to a new browser, and the old one
 * exits after its last context, because Chromium never returns all of its memory.
 */
export interface BrowserPool {
  /**
   * Opens the egress proxy and launches Chromium, so that a machine that cannot run it fails at
   * start.
   * @throws FatalError if Chromium cannot be launched; so do the pages of its sessions
   */
  start(): Promise<void>;
  /**
   * Ends every Chromium, also a hung one. Open sessions fail with `browser_crashed`. Idempotent.
   */
  stop(): Promise<void>;
  /** Process id of the Chromium that gets new contexts. */
  readonly pid: number | undefined;
  /** Whether Chromium's sandbox is on; null until it is known, and where the system does not tell. */
  readonly sandbox: Sandbox | null;
  openSession(options?: SessionOptions): BrowserSession;
  /** Extracts content from HTML; stopped with the pool. */
  readonly extractor: Extractor;
}

export interface BrowserPoolOptions {
  executablePath: string;
  egress: EgressGuard;
  logger: Logger;
  /** Default 300. */
  recycleAfterPages?: number;
  /** Limit for the memory of one Chromium with all its processes; unset: none. */
  memoryLimitBytes?: number | undefined;
  /** User agent; unset: Chromium's own. */
  userAgent?: string | undefined;
  /** For jobs without proxies of their own; unset: none. */
  proxies?: string[] | undefined;
  /** Shared with the HTTP client, which uses the same proxies. */
  proxyHealth?: ProxyHealth | undefined;
}

export function createBrowserPool(options: BrowserPoolOptions): BrowserPool {
  return new Pool(options);
}

const RECYCLE_AFTER_PAGES = 300;
/** Retries cover a moment without memory; a missing binary fails every time. */
const LAUNCHES_TO_GIVE_UP = 3;
const LAUNCH_PAUSE_MS = 500;
/**
 * The processes of an installation start together, and warming up takes a second of processor time
 * from each of them. A page that comes earlier starts its thread itself.
 */
const WARM_UP_AFTER_MS = 10_000;

class Pool implements BrowserPool, ContextSource {
  readonly #proxy: EgressProxy;
  readonly #logger: Logger;
  readonly extractor = createExtractor();
  #current: Promise<BrowserInstance> | undefined;
  readonly #proxyHealth: ProxyHealth;
  #currentPid: number | undefined;
  #failedLaunches = 0;
  /** Why Chromium is launched without its sandbox; null: with it. */
  #sandboxObstacle = sandboxObstacle();
  #sandbox: Sandbox | null = null;
  readonly #instances = new Set<BrowserInstance>();
  readonly #ending = new Set<Promise<void>>();
  #stopping: Promise<void> | undefined;
  #warmUp: NodeJS.Timeout | undefined;

  constructor(private readonly options: BrowserPoolOptions) {
    this.#logger = options.logger;
    this.#proxyHealth = options.proxyHealth ?? createProxyHealth();
    this.#proxy = createEgressProxy({ guard: options.egress, logger: options.logger });
  }

  get pid(): number | undefined {
    return this.#currentPid;
  }

  get sandbox(): Sandbox | null {
    return this.#sandbox;
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  async start(): Promise<void> {
    this.#warmUp = setTimeout(() => this.extractor.warmUp(), WARM_UP_AFTER_MS).unref();
    await this.#proxy.start();
    const instance = await this.#currentInstance();
    this.#makeReady(instance);
    await this.#proveSandbox(instance);
  }

  /** Asks the kernel about the renderer of the first tab, and logs the answer. */
  async #proveSandbox(instance: BrowserInstance): Promise<void> {
    const obstacle = this.#sandboxObstacle;
    if (obstacle === null) {
      await instance.ready?.catch(() => {});
      const pid = await rendererPid(instance.chromium).catch(() => undefined);
      this.#sandbox = pid === undefined ? null : readSandbox(pid);
    } else this.#sandbox = { isOn: false, reason: obstacle };
    if (this.#sandbox?.isOn) this.#logger.info('browser_sandboxed', { seccomp: true, namespaces: true });
    else
      this.#logger.warn('browser_not_sandboxed', {
        reason: this.#sandbox?.reason ?? 'the system does not tell',
      });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  openSession(options: SessionOptions = {}): BrowserSession {
    return new BrowserSession(this, options);
  }

  async openContext(options: SessionOptions): Promise<ContextHandle> {
    for (;;) {
      const instance = await this.#currentInstance();
      // Identity and proxies are fixed when a context is created; all other options can be set
      // later.
      const isPlain = !options.identity && !options.proxies;
      const ready = isPlain ? instance.ready : undefined;
      if (ready) instance.ready = undefined;
      const handle = await (ready ?? this.#open(instance, options));
      if (isPlain && !instance.retired) this.#makeReady(instance);
      if (!instance.hasExited) return handle;
      if (!ready) throw new PageFailure('browser_crashed');
    }
  }

  async closeContext(handle: ContextHandle): Promise<void> {
    await handle.instance.closeContext(handle);
    await this.#endIfUnused(handle.instance);
  }

  countPage(instance: BrowserInstance): void {
    instance.pages += 1;
    if (instance.retired || instance.pages < (this.options.recycleAfterPages ?? RECYCLE_AFTER_PAGES)) return;
    instance.retired = true;
    this.#current = undefined;
    this.#logger.info('browser_retired', { browser_pid: instance.chromium.pid, pages: instance.pages });
    const { ready } = instance;
    instance.ready = undefined;
    ready?.then((handle) => this.closeContext(handle)).catch(() => {});
  }

  #makeReady(instance: BrowserInstance): void {
    if (instance.ready || this.#stopping) return;
    const ready = this.#open(instance, {});
    instance.ready = ready;
    ready.catch(() => {
      if (instance.ready === ready) instance.ready = undefined;
    });
  }

  async #open(instance: BrowserInstance, { identity, proxies }: SessionOptions): Promise<ContextHandle> {
    const { userAgent } = this.options;
    const egress = this.#openClient(proxies ?? this.options.proxies);
    try {
      return await instance.openContext(egress, { ...(userAgent ? { userAgent } : {}), ...identity });
    } catch (error) {
      await this.#endIfUnused(instance);
      throw error;
    }
  }

  #openClient(urls: string[] = []): EgressClient {
    if (urls.length === 0) return this.#proxy.openClient();
    const { egress: guard, logger } = this.options;
    return this.#proxy.openClient(createUpstreamProxies({ urls, guard, health: this.#proxyHealth, logger }));
  }

  async #endIfUnused(instance: BrowserInstance): Promise<void> {
    if (instance.isUnused && !instance.hasExited) await this.#end(instance);
  }

  async #currentInstance(): Promise<BrowserInstance> {
    if (this.#stopping) throw new PageFailure('browser_crashed', 'the browser is being stopped');
    if (!this.#current) {
      // Concurrent callers share one launch; a failed launch is not cached.
      const launching = this.#launch();
      this.#current = launching;
      launching.catch(() => {
        if (this.#current === launching) this.#current = undefined;
      });
    }
    return await this.#current;
  }

  async #launch(): Promise<BrowserInstance> {
    const startedAt = Date.now();
    await this.#proxy.start();
    const chromium = await this.#launchChromium();
    const { browser, pid } = chromium;
    const instance = new BrowserInstance(chromium, this.#logger, this.options.memoryLimitBytes);
    this.#instances.add(instance);
    this.#currentPid = pid;
    browser.on('disconnected', () => this.#onGone(instance));
    this.#logger.info('browser_launched', {
      browser_pid: pid,
      version: browser.version(),
      duration_ms: Date.now() - startedAt,
    });
    if (this.#stopping) await this.#end(instance);
    return instance;
  }

  /** @throws FatalError after the last retry */
  async #launchChromium(): Promise<ChromiumProcess> {
    for (let tries = 1; ; tries++) {
      try {
        const chromium = await this.#launchAsConfined();
        this.#failedLaunches = 0;
        return chromium;
      } catch (error) {
        this.#failedLaunches += 1;
        this.#logger.warn('browser_not_launched', { error, tries });
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

  /** With the sandbox; without it if Chromium starts only so, for the rest of this process's life. */
  async #launchAsConfined(): Promise<ChromiumProcess> {
    const options = { executablePath: this.options.executablePath, proxyAddress: this.#proxy.address };
    if (this.#sandboxObstacle !== null) return launchChromium({ ...options, sandbox: false });
    try {
      return await launchChromium({ ...options, sandbox: true });
    } catch (error) {
      // Once it was seen to work, a failure has another cause.
      if (this.#sandbox?.isOn || this.#stopping) throw error;
      const chromium = await launchChromium({ ...options, sandbox: false });
      this.#sandboxObstacle = explainSandboxFailure(String((error as Error).message));
      return chromium;
    }
  }

  #onGone(instance: BrowserInstance): void {
    const { pid } = instance.chromium;
    const expected = this.#stopping !== undefined || instance.isUnused;
    if (this.#currentPid === pid) this.#currentPid = undefined;
    if (!instance.retired) this.#current = undefined;
    instance.retired = true;
    instance.hasExited = true;
    instance.stopWatching();
    this.#instances.delete(instance);
    if (expected) return;
    this.#logger.warn('browser_crashed', { browser_pid: pid, contexts: instance.contexts });
    // Kills what is left of its process tree; `stop` waits for that.
    killChromium(pid);
    void this.#end(instance);
  }

  async #end(instance: BrowserInstance): Promise<void> {
    instance.stopWatching();
    const ending = endChromium(instance.chromium);
    this.#ending.add(ending);
    await ending;
    this.#ending.delete(ending);
  }

  async #stop(): Promise<void> {
    await this.#current?.catch(() => {});
    await Promise.all([...this.#instances].map((instance) => this.#end(instance)));
    await Promise.all(this.#ending);
    clearTimeout(this.#warmUp);
    await this.extractor.stop();
    await this.#proxy.stop();
  }
}
