import type { BrowserContext, BrowserContextOptions, Cookie } from 'playwright';
import { resolvesWithin } from '../fetching/deadline.ts';
import { PageFailure } from '../fetching/page-errors.ts';
import type { Held, Pool } from './pool.ts';
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

/** Given by `takeTurn`, taken by `withTab`. */
export interface Turn {
  isTurn: true;
}

/**
 * The pages of one job. They share cookies and storage with each other and with nobody else. A tab that had trouble is closed, and
 * if it does not close at once its context goes too.
 */
export class BrowserSession {
  #held: Promise<Held> | undefined;
  readonly #all = new Set<Held>();
  readonly #uses = new Set<Promise<unknown>>();
  readonly #waiting: (() => void)[] = [];
  #free: number;
  /** Of a context that went with its browser, for the next one. */
  #cookies: Cookie[] = [];
  #closed = false;

  constructor(
    private readonly pool: Pool,
    private readonly options: SessionOptions,
  ) {
    this.#free = Math.max(1, options.tabs ?? 1);
  }

  /** Waits until one of the session's tabs is free, and keeps its place for one `withTab`. @throws the signal's reason */
  async takeTurn(signal: AbortSignal): Promise<Turn> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (signal.aborted) this.#endTurn();
    signal.throwIfAborted();
    return { isTurn: true };
  }

  /**
   * Runs `use` with a tab. When `use` rejects the tab is not used again.
   * @throws PageFailure `browser_crashed` when Chromium is gone, before or while `use` runs
   */
  withTab<T>(_turn: Turn, options: TabOptions, use: (tab: Tab) => Promise<T>): Promise<T> {
    const used = this.#withTab(options, use);
    const settled = used.catch(() => {});
    this.#uses.add(settled);
    void settled.then(() => this.#uses.delete(settled));
    return used;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#uses);
    await Promise.all([...this.#all].map((held) => this.#drop(held)));
  }

  #endTurn(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }

  async #withTab<T>({ maxBytes }: TabOptions, use: (tab: Tab) => Promise<T>): Promise<T> {
    let held: Held | undefined;
    let tab: Tab | undefined;
    let reusable = false;
    try {
      held = await this.#hold();
      held.busy += 1;
      this.pool.countPage(held.generation);
      tab = held.idle.pop() ?? (await this.pool.whileAlive(held.generation, openTab(held)));
      await this.pool.whileAlive(held.generation, tab.beginUse(maxBytes));
      const result = await use(tab);
      reusable = true;
      return result;
    } catch (error) {
      // A browser that is ended on purpose fails its pages in many ways.
      throw this.pool.isStopping ? new PageFailure('browser_crashed', undefined, { cause: error }) : error;
    } finally {
      // Not awaited: whoever was told of a cancel must not wait for a page that does not close. The next page does wait.
      const tidied = this.#tidy(held, tab, reusable).finally(() => this.#endTurn());
      this.#uses.add(tidied);
      void tidied.then(() => this.#uses.delete(tidied));
    }
  }

  /** The context for the next page: a new one where the last went or its browser has shown enough. */
  async #hold(): Promise<Held> {
    for (;;) {
      const holding = this.#held;
      const held = await holding?.catch(() => undefined);
      // Whoever comes while a new one is opened waits for the same one.
      if (holding !== this.#held) continue;
      if (held && this.#all.has(held) && !held.generation.retired) return held;
      if (this.#closed) throw new Error('the browser session is closed');
      this.#held = this.#enter(held);
      return await this.#held;
    }
  }

  async #enter(before: Held | undefined): Promise<Held> {
    if (before && this.#all.has(before)) {
      await this.#keepCookies(before);
      if (before.busy === 0) void this.#drop(before);
    }
    const held = await this.pool.enter(this.options);
    this.#all.add(held);
    await this.#addCookies(held);
    return held;
  }

  async #addCookies(held: Held): Promise<void> {
    const cookies = [...(this.options.cookies ?? []), ...this.#cookies];
    if (cookies.length === 0) return;
    const adding = held.context.addCookies(cookies).catch((cause: unknown) => {
      throw held.generation.gone ? cause : new PageFailure('bad_cookie', undefined, { cause });
    });
    try {
      await this.pool.whileAlive(held.generation, adding);
    } catch (error) {
      void this.#drop(held);
      throw error;
    }
  }

  /** Somebody logged in by the actions of one page is still logged in on the next, whatever browser shows it. */
  async #keepCookies({ generation, context }: Held): Promise<void> {
    if (generation.gone) return;
    const reading = context.cookies().then((cookies) => {
      this.#cookies = cookies;
    });
    await resolvesWithin(reading, CLOSE_PAGE_TIMEOUT_MS);
  }

  async #tidy(held: Held | undefined, tab: Tab | undefined, reusable: boolean): Promise<void> {
    if (!held) return;
    held.busy -= 1;
    if (tab?.isLastUse && reusable && held.busy === 0) {
      await this.#drop(held);
      return;
    }
    const isLast = this.#closed && held.busy === 0;
    if (tab && !isLast && !held.generation.retired) {
      if (!reusable && !(await tab.close())) {
        await this.#drop(held);
        return;
      }
      if (reusable && (await resolvesWithin(tab.endUse(), CLOSE_PAGE_TIMEOUT_MS))) held.idle.push(tab);
    } else tab?.egress.end();
    if (held.generation.retired && held.busy === 0) {
      await this.#keepCookies(held);
      await this.#drop(held);
    }
  }

  async #drop(held: Held): Promise<void> {
    if (!this.#all.delete(held)) return;
    await this.pool.leave(held);
  }
}
