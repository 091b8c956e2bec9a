import type { BrowserContext, CDPSession, Page } from 'playwright';
import type { Logger } from '../runtime/logger.ts';
import { type ChromiumProcess, endChromium, killChromium, launchChromium } from './chromium.ts';
import { createExtractor, type Extractor } from './content/extractor.ts';
import { resolvesWithin } from './deadline.ts';
import type { EgressGuard } from './egress-guard.ts';
import { createEgressProxy, type EgressClient, type EgressProxy, LOGIN_URL } from './egress-proxy.ts';
import { PageFailure } from './page-errors.ts';

/**
 * Chromium for many jobs at once. A job opens a session; the session has one browser context and in it one tab, which shows the
 * job's pages one after the other, so that nothing is shared between jobs and the pages of one job are cheap: 42 ms a page in
 * the same tab, 80 in a new one of the same context (postgresql-doc, 2 cores). After each page the tab is blanked; one that had
 * trouble is closed, and if it does not close at once its context goes too.
 *
 * A browser that crashed is launched again at the next use. One that has shown some hundred pages is retired: new contexts go to
 * a new one, and it ends with its last context, because Chromium's memory is never all given back.
 */
export interface BrowserPool {
  /** Opens the egress proxy and launches Chromium, so that a machine where it cannot run says so at once. */
  start(): Promise<void>;
  /** Ends every Chromium, also one that hangs. Sessions still open fail with `browser_crashed`. Twice is safe. */
  stop(): Promise<void>;
  /** Of the Chromium that new pages go to. */
  readonly pid: number | undefined;
  openSession(): BrowserSession;
  /** Turns HTML into what users asked for; lives and ends with the pool. */
  readonly extractor: Extractor;
}

export interface BrowserSession {
  /**
   * Runs `use` with a blank tab. One call at a time. When `use` rejects the tab is not used again.
   * @throws PageFailure `browser_crashed` when Chromium is gone, before or while `use` runs
   */
  withTab<T>(options: TabOptions, use: (tab: Tab) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface TabOptions {
  /** What the page may receive, see `EgressClient.beginPage`. */
  maxBytes: number;
}

export interface Tab {
  page: Page;
  /** Of our own, beside Playwright's, and for this use of the tab only: what is set and heard through it ends with it. */
  cdp: CDPSession;
  mainFrameId: string;
  egress: EgressClient;
  /** Never resolves; rejects with `browser_crashed`. */
  crashed: Promise<never>;
}

export interface BrowserPoolOptions {
  executablePath: string;
  egress: EgressGuard;
  logger: Logger;
  /** Default 300. */
  recycleAfterPages?: number;
}

export function createBrowserPool(options: BrowserPoolOptions): BrowserPool {
  return new Pool(options);
}

const RECYCLE_AFTER_PAGES = 300;
/** A Chromium that does not open a page within this time hangs. */
const OPEN_TIMEOUT_MS = 15_000;
const CLOSE_PAGE_TIMEOUT_MS = 2000;
const CLOSE_CONTEXT_TIMEOUT_MS = 3000;

/** One Chromium from launch to end. */
interface Generation {
  chromium: ChromiumProcess;
  contexts: number;
  pages: number;
  retired: boolean;
  /** Its process is no more; asking it for anything would only wait. */
  gone: boolean;
  crashed: Promise<never>;
}

class Pool implements BrowserPool {
  readonly proxy: EgressProxy;
  readonly logger: Logger;
  readonly extractor = createExtractor();
  #current: Promise<Generation> | undefined;
  #currentPid: number | undefined;
  readonly #generations = new Set<Generation>();
  readonly #ending = new Set<Promise<void>>();
  #stopping: Promise<void> | undefined;

  constructor(private readonly options: BrowserPoolOptions) {
    this.logger = options.logger;
    this.proxy = createEgressProxy({ guard: options.egress, logger: options.logger });
  }

  get pid(): number | undefined {
    return this.#currentPid;
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  async start(): Promise<void> {
    await this.proxy.start();
    await this.#generation();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  openSession(): BrowserSession {
    return new Session(this);
  }

  /** Takes a place in the current Chromium for one context; `leave` gives it back. */
  async enter(): Promise<Generation> {
    const generation = await this.#generation();
    generation.contexts += 1;
    return generation;
  }

  async leave(generation: Generation): Promise<void> {
    generation.contexts -= 1;
    if (generation.retired && !generation.gone && generation.contexts === 0) await this.#end(generation);
  }

  countPage(generation: Generation): void {
    generation.pages += 1;
    if (generation.retired || generation.pages < (this.options.recycleAfterPages ?? RECYCLE_AFTER_PAGES))
      return;
    generation.retired = true;
    this.#current = undefined;
    this.logger.info('browser_retired', { browser_pid: generation.chromium.pid, pages: generation.pages });
  }

  kill(generation: Generation, reason: string): void {
    if (!this.#generations.has(generation)) return;
    this.logger.warn('browser_killed', { browser_pid: generation.chromium.pid, reason });
    killChromium(generation.chromium.pid);
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
    const chromium = await launchChromium({
      executablePath: this.options.executablePath,
      proxyAddress: this.proxy.address,
    });
    const { browser, pid } = chromium;
    const crashed = new Promise<never>((_, reject) => {
      browser.on('disconnected', () => reject(new PageFailure('browser_crashed')));
    });
    crashed.catch(() => {});
    const generation: Generation = { chromium, contexts: 0, pages: 0, retired: false, gone: false, crashed };
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

/** A context and where it lives. */
interface Held {
  generation: Generation;
  context: BrowserContext;
  egress: EgressClient;
  /** Blank, between two uses. */
  page: Page | undefined;
}

class Session implements BrowserSession {
  #held: Held | undefined;
  /** Settles with the use before: a caller whose patience ended may be back before that use has seen its own end. */
  #last: Promise<unknown> = Promise.resolve();
  /** The end of the page before, which may take longer than its job had patience for. */
  #tidying: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(private readonly pool: Pool) {}

  withTab<T>(options: TabOptions, use: (tab: Tab) => Promise<T>): Promise<T> {
    const used = this.#last.then(() => this.#withTab(options, use));
    this.#last = used.catch(() => {});
    return used;
  }

  async #withTab<T>({ maxBytes }: TabOptions, use: (tab: Tab) => Promise<T>): Promise<T> {
    await this.#tidying;
    const held = await this.#hold();
    const { generation, egress } = held;
    egress.beginPage(maxBytes);
    this.pool.countPage(generation);
    let cdp: CDPSession | undefined;
    let reusable = false;
    try {
      const tab = await this.#whileAlive(generation, openTab(held));
      cdp = tab.cdp;
      const result = await use(tab);
      reusable = true;
      return result;
    } catch (error) {
      // A browser that is ended on purpose fails its pages in many ways.
      throw this.pool.isStopping ? new PageFailure('browser_crashed', undefined, { cause: error }) : error;
    } finally {
      // Not awaited: whoever was told of a cancel must not wait for a page that does not close. The next page does wait.
      this.#tidying = this.#tidy(held, cdp, reusable);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
    await this.#tidying;
    await this.#drop();
  }

  async #hold(): Promise<Held> {
    if (this.#held?.generation.retired) await this.#drop();
    if (this.#held) return this.#held;
    if (this.#closed) throw new Error('the browser session is closed');
    const generation = await this.pool.enter();
    const egress = this.pool.proxy.openClient();
    try {
      const context = await this.#whileAlive(
        generation,
        generation.chromium.browser.newContext({
          acceptDownloads: false,
          serviceWorkers: 'block',
          permissions: [],
          viewport: { width: 1280, height: 800 },
        }),
      );
      this.#held = { generation, context, egress, page: undefined };
      return this.#held;
    } catch (error) {
      egress.close();
      await this.pool.leave(generation);
      throw error;
    }
  }

  /** What every Chromium can do at once: one that cannot hangs, and is ended for everyone who waits for it. */
  async #whileAlive<T>(generation: Generation, opening: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.pool.kill(generation, 'does_not_open_pages'), OPEN_TIMEOUT_MS);
    try {
      return await Promise.race([generation.crashed, opening]);
    } catch (error) {
      opening.catch(() => {});
      if (error instanceof PageFailure) throw error;
      throw new PageFailure('browser_crashed', undefined, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  async #tidy(held: Held, cdp: CDPSession | undefined, reusable: boolean): Promise<void> {
    if (!held.generation.retired && (await resolvesWithin(blank(held, cdp, reusable), CLOSE_PAGE_TIMEOUT_MS)))
      return;
    if (this.#held === held) await this.#drop();
  }

  async #drop(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    const { gone } = held.generation;
    if (!gone && !(await resolvesWithin(held.context.close(), CLOSE_CONTEXT_TIMEOUT_MS))) {
      this.pool.kill(held.generation, 'does_not_close_pages');
    }
    held.egress.close();
    await this.pool.leave(held.generation);
  }
}

async function openTab(held: Held): Promise<Tab> {
  const { context, egress, generation } = held;
  const page = held.page ?? (await openPage(held));
  const crashed = Promise.race([
    generation.crashed,
    new Promise<never>((_, reject) => {
      page.once('crash', () => reject(new PageFailure('browser_crashed')));
    }),
  ]);
  crashed.catch(() => {});
  const cdp = await context.newCDPSession(page);
  const [{ frameTree }] = await Promise.all([
    cdp.send('Page.getFrameTree'),
    cdp.send('Page.enable'),
    cdp.send('Network.enable'),
  ]);
  return { page, cdp, mainFrameId: frameTree.frame.id, egress, crashed };
}

async function openPage(held: Held): Promise<Page> {
  const page = await held.context.newPage();
  await logIn(await held.context.newCDPSession(page), held.egress);
  // Nobody looks at what a page opens or asks; unanswered, a dialog would stop the page for ever.
  page.on('dialog', (dialog) => void dialog.dismiss().catch(() => {}));
  page.on('popup', (popup) => void popup.close().catch(() => {}));
  held.page = page;
  return page;
}

/** Ends what the tab shows and what it opened. Rejects when the tab is none any more. */
async function blank(held: Held, cdp: CDPSession | undefined, reusable: boolean): Promise<void> {
  const { page } = held;
  if (!reusable) held.page = undefined;
  const others = held.context.pages().filter((open) => open !== held.page);
  await Promise.all(others.map((open) => open.close()));
  if (!page || !reusable) return;
  page.removeAllListeners('download');
  page.removeAllListeners('crash');
  await cdp?.detach();
  await page.goto('about:blank');
}

/**
 * Makes the context learn its credentials for the proxy, once, by a request that is answered 204 and so changes no page.
 * Playwright's own way (`proxy.username`) pauses every request of every page for a round trip and turns the cache off.
 */
async function logIn(cdp: CDPSession, egress: EgressClient): Promise<void> {
  cdp.on('Fetch.requestPaused', ({ requestId }) => {
    void cdp.send('Fetch.continueRequest', { requestId }).catch(() => {});
  });
  cdp.on('Fetch.authRequired', ({ requestId }) => {
    const authChallengeResponse = {
      response: 'ProvideCredentials' as const,
      username: egress.username,
      password: egress.password,
    };
    void cdp.send('Fetch.continueWithAuth', { requestId, authChallengeResponse }).catch(() => {});
  });
  await cdp.send('Fetch.enable', { handleAuthRequests: true, patterns: [{ urlPattern: `${LOGIN_URL}*` }] });
  await cdp.send('Page.navigate', { url: LOGIN_URL });
  await cdp.detach();
}
