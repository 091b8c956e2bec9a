import type { BrowserContext, BrowserContextOptions, Cookie } from 'playwright';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import { resolvesWithin } from '../fetching/deadline.ts';
import type { BrowserInstance, ContextHandle } from './instance.ts';
import { CLOSE_PAGE_TIMEOUT_MS, openTab, type Tab } from './tab.ts';

export interface SessionOptions {
  /** As whom its pages are visited: viewport, language, time zone; unset: as everybody. */
  identity?: BrowserContextOptions | undefined;
  /** Set before the first page. */
  cookies?: Parameters<BrowserContext['addCookies']>[0] | undefined;
  /** Through which its bytes go; unset: the installation's, or none. */
  proxies?: string[] | undefined;
  /** How many pages at once. Default 1. */
  tabs?: number | undefined;
}

export interface TabOptions {
  /** What the page may receive, see `EgressClient.beginPage`. */
  maxBytes: number;
}

/** Where a session gets its contexts. */
export interface ContextSource {
  /** Its browsers are being ended on purpose. */
  readonly isStopping: boolean;
  /** A context that nobody has used, with an idle tab; `leave` ends it. */
  openContext(options: SessionOptions): Promise<ContextHandle>;
  closeContext(handle: ContextHandle): Promise<void>;
  /** Counts towards the pages after which a browser is retired. */
  countPage(instance: BrowserInstance): void;
}

/** Given by `acquireSlot`, taken by `withTab`. */
export interface Slot {
  isSlot: true;
}

/**
 * The pages of one job. They share cookies and storage with each other and with nobody else. A tab that had trouble is closed, and
 * if it does not close at once its context goes too.
 */
export class BrowserSession {
  #handle: Promise<ContextHandle> | undefined;
  readonly #all = new Set<ContextHandle>();
  readonly #uses = new Set<Promise<unknown>>();
  readonly #waiting: (() => void)[] = [];
  #free: number;
  /** Of a context that went with its browser, for the next one. */
  #cookies: Cookie[] = [];
  #closed = false;

  constructor(
    private readonly contexts: ContextSource,
    private readonly options: SessionOptions,
  ) {
    this.#free = Math.max(1, options.tabs ?? 1);
  }

  /** Waits until one of the session's tabs is free, and keeps its place for one `withTab`. @throws the signal's reason */
  async acquireSlot(signal: AbortSignal): Promise<Slot> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (signal.aborted) this.#releaseSlot();
    signal.throwIfAborted();
    return { isSlot: true };
  }

  /**
   * Runs `use` with a tab. When `use` rejects the tab is not used again.
   * @throws PageFailure `browser_crashed` when Chromium is gone, before or while `use` runs
   */
  withTab<T>(_slot: Slot, options: TabOptions, use: (tab: Tab) => Promise<T>): Promise<T> {
    const used = this.#withTab(options, use);
    const settled = used.catch(() => {});
    this.#uses.add(settled);
    void settled.then(() => this.#uses.delete(settled));
    return used;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#uses);
    await Promise.all([...this.#all].map((handle) => this.#drop(handle)));
  }

  #releaseSlot(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }

  async #withTab<T>({ maxBytes }: TabOptions, use: (tab: Tab) => Promise<T>): Promise<T> {
    let handle: ContextHandle | undefined;
    let tab: Tab | undefined;
    let reusable = false;
    try {
      handle = await this.#currentHandle();
      handle.busy += 1;
      this.contexts.countPage(handle.instance);
      tab =
        handle.idle.pop() ??
        (await handle.instance.whileAlive(openTab(handle.context, handle.egress, handle.instance.crashed)));
      await handle.instance.whileAlive(tab.beginUse(maxBytes));
      const result = await use(tab);
      reusable = true;
      return result;
    } catch (error) {
      // A browser that is ended on purpose fails its pages in many ways.
      throw this.contexts.isStopping
        ? new PageFailure('browser_crashed', undefined, { cause: error })
        : error;
    } finally {
      // Not awaited: whoever was told of a cancel must not wait for a page that does not close. The next page does wait.
      const tidied = this.#giveBack(handle, tab, reusable).finally(() => this.#releaseSlot());
      this.#uses.add(tidied);
      void tidied.then(() => this.#uses.delete(tidied));
    }
  }

  /** The context for the next page: a new one where the last went or its browser has shown enough. */
  async #currentHandle(): Promise<ContextHandle> {
    for (;;) {
      const holding = this.#handle;
      const handle = await holding?.catch(() => undefined);
      // Whoever comes while a new one is opened waits for the same one.
      if (holding !== this.#handle) continue;
      if (handle && this.#all.has(handle) && !handle.instance.retired) return handle;
      if (this.#closed) throw new Error('the browser session is closed');
      this.#handle = this.#openHandle(handle);
      return await this.#handle;
    }
  }

  async #openHandle(before: ContextHandle | undefined): Promise<ContextHandle> {
    if (before && this.#all.has(before)) {
      await this.#keepCookies(before);
      if (before.busy === 0) void this.#drop(before);
    }
    const handle = await this.contexts.openContext(this.options);
    this.#all.add(handle);
    await this.#addCookies(handle);
    return handle;
  }

  async #addCookies(handle: ContextHandle): Promise<void> {
    const cookies = [...(this.options.cookies ?? []), ...this.#cookies];
    if (cookies.length === 0) return;
    const adding = handle.context.addCookies(cookies).catch((cause: unknown) => {
      throw handle.instance.hasExited ? cause : new PageFailure('bad_cookie', undefined, { cause });
    });
    try {
      await handle.instance.whileAlive(adding);
    } catch (error) {
      void this.#drop(handle);
      throw error;
    }
  }

  /** Somebody logged in by the actions of one page is still logged in on the next, whatever browser shows it. */
  async #keepCookies({ instance, context }: ContextHandle): Promise<void> {
    if (instance.hasExited) return;
    const reading = context.cookies().then((cookies) => {
      this.#cookies = cookies;
    });
    await resolvesWithin(reading, CLOSE_PAGE_TIMEOUT_MS);
  }

  async #giveBack(handle: ContextHandle | undefined, tab: Tab | undefined, reusable: boolean): Promise<void> {
    if (!handle) return;
    handle.busy -= 1;
    if (tab?.isLastUse && reusable && handle.busy === 0) {
      await this.#drop(handle);
      return;
    }
    const isLast = this.#closed && handle.busy === 0;
    if (tab && !isLast && !handle.instance.retired) {
      if (!reusable && !(await tab.close())) {
        await this.#drop(handle);
        return;
      }
      if (reusable && (await resolvesWithin(tab.endUse(), CLOSE_PAGE_TIMEOUT_MS))) handle.idle.push(tab);
    } else tab?.egress.end();
    if (handle.instance.retired && handle.busy === 0) {
      await this.#keepCookies(handle);
      await this.#drop(handle);
    }
  }

  async #drop(handle: ContextHandle): Promise<void> {
    if (!this.#all.delete(handle)) return;
    await this.contexts.closeContext(handle);
  }
}
