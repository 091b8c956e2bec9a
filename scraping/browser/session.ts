import type { BrowserContext, BrowserContextOptions, Cookie } from 'playwright';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import { Slots } from '../../runtime/slots.ts';
import { resolvesWithin } from '../fetching/deadline.ts';
import type { BrowserInstance, ContextHandle } from './instance.ts';
import { CLOSE_PAGE_TIMEOUT_MS, openTab, type Tab } from './tab.ts';

export interface SessionOptions {
  /** Viewport, language and time zone of its pages; unset: the defaults. */
  identity?: BrowserContextOptions | undefined;
  /** Set before the first page. */
  cookies?: Parameters<BrowserContext['addCookies']>[0] | undefined;
  /** Upstream proxies for this session; unset: the installation's, or none. */
  proxies?: string[] | undefined;
  /** Pages at once. Default 1. */
  tabs?: number | undefined;
}

export interface TabOptions {
  /** Limit for what the page may receive, see `EgressClient.beginPage`. */
  maxBytes: number;
}

/** Opens and closes browser contexts for sessions. */
export interface ContextSource {
  /** The pool is stopping its browsers. */
  readonly isStopping: boolean;
  /** A new context with an idle tab; end it with `closeContext`. */
  openContext(options: SessionOptions): Promise<ContextHandle>;
  closeContext(handle: ContextHandle): Promise<void>;
  /** Counts a page towards the browser's retirement. */
  countPage(instance: BrowserInstance): void;
}

/** Permission for one `withTab`, from `acquireSlot`. */
export interface Slot {
  isSlot: true;
}

/**
 * The pages of one job. They share cookies and storage with each other and with no other job. A tab
 * whose page failed is closed; if it does not close in time, its context is closed too.
 */
export class BrowserSession {
  #handle: Promise<ContextHandle> | undefined;
  readonly #all = new Set<ContextHandle>();
  readonly #uses = new Set<Promise<unknown>>();
  readonly #slots: Slots;
  /** Cookies of a closed context, for its successor. */
  #cookies: Cookie[] = [];
  #closed = false;

  constructor(
    private readonly contexts: ContextSource,
    private readonly options: SessionOptions,
  ) {
    this.#slots = new Slots(Math.max(1, options.tabs ?? 1));
  }

  /** Waits for a free tab and reserves it for one `withTab`. @throws the signal's reason */
  async acquireSlot(signal: AbortSignal): Promise<Slot> {
    await this.#slots.acquire(signal);
    return { isSlot: true };
  }

  /**
   * Runs `use` with a tab. If `use` rejects, the tab is not reused.
   * @throws PageFailure `browser_crashed` if Chromium exits before or while `use` runs
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

  async #withTab<T>({ maxBytes }: TabOptions, use: (tab: Tab) => Promise<T>): Promise<T> {
    let handle: ContextHandle | undefined;
    let tab: Tab | undefined;
    let reusable = false;
    try {
      handle = await this.#currentHandle();
      handle.busy += 1;
      handle.instance.busy += 1;
      this.contexts.countPage(handle.instance);
      tab =
        handle.idle.pop() ??
        (await handle.instance.whileAlive(openTab(handle.context, handle.egress, handle.instance)));
      await handle.instance.whileAlive(tab.beginUse(maxBytes));
      const result = await use(tab);
      reusable = true;
      return result;
    } catch (error) {
      // Pages of a browser that is being stopped fail with arbitrary errors.
      throw this.contexts.isStopping
        ? new PageFailure('browser_crashed', undefined, { cause: error })
        : error;
    } finally {
      // Not awaited: a cancelled caller must not wait for a page that does not close. The next page
      // does.
      const tidied = this.#giveBack(handle, tab, reusable).finally(() => this.#slots.release());
      this.#uses.add(tidied);
      void tidied.then(() => this.#uses.delete(tidied));
    }
  }

  /** The context for the next page: a new one if the last is closed or its browser is retired. */
  async #currentHandle(): Promise<ContextHandle> {
    for (;;) {
      const holding = this.#handle;
      const handle = await holding?.catch(() => undefined);
      // Concurrent callers wait for the same new context.
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

  /** A login made by the actions of one page must survive a change of browser. */
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
    handle.instance.busy -= 1;
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
