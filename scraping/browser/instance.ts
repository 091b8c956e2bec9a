import type { BrowserContext, BrowserContextOptions } from 'playwright';
import { FatalError } from '../../core/errors.ts';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import type { EgressClient } from '../egress/proxy-client.ts';
import { resolvesWithin } from '../fetching/deadline.ts';
import { type ChromiumProcess, killChromium, VIEWPORT } from './chromium.ts';
import { openTab, type Tab } from './tab.ts';

/** A browser context and its Chromium. */
export interface ContextHandle {
  instance: BrowserInstance;
  context: BrowserContext;
  egress: EgressClient;
  /** Open tabs that are not in use. */
  idle: Tab[];
  busy: number;
}

/** A Chromium that does not open a page within this time is considered hung. */
const OPEN_TIMEOUT_MS = 15_000;
const CLOSE_CONTEXT_TIMEOUT_MS = 3000;

/** One Chromium from launch to end, and the contexts in it. */
export class BrowserInstance {
  contexts = 0;
  pages = 0;
  /** Gets no new contexts and exits after its last one. */
  retired = false;
  /** The process has exited; a call to it would never return. */
  hasExited = false;
  /** Rejects with `browser_crashed`, never resolves. */
  readonly crashed: Promise<never>;
  /** A pre-opened, unused context. */
  ready: Promise<ContextHandle> | undefined;

  constructor(
    readonly chromium: ChromiumProcess,
    private readonly logger: Logger,
  ) {
    this.crashed = new Promise<never>((_, reject) => {
      chromium.browser.on('disconnected', () => reject(new PageFailure('browser_crashed')));
    });
    this.crashed.catch(() => {});
  }

  get isUnused(): boolean {
    return this.retired && this.contexts === 0;
  }

  /** Opens a context with an idle tab. The egress client closes with it, also if opening fails. */
  async openContext(egress: EgressClient, options: BrowserContextOptions): Promise<ContextHandle> {
    this.contexts += 1;
    try {
      const context = await this.whileAlive(
        this.chromium.browser.newContext({
          acceptDownloads: false,
          serviceWorkers: 'block',
          permissions: [],
          viewport: VIEWPORT,
          ...options,
        }),
      );
      const tab = await this.whileAlive(openTab(context, egress, this.crashed));
      return { instance: this, context, egress, idle: [tab], busy: 0 };
    } catch (error) {
      egress.close();
      this.contexts -= 1;
      throw error;
    }
  }

  async closeContext(handle: ContextHandle): Promise<void> {
    // A page in an endless loop blocks the close: then the whole browser is killed.
    if (!this.hasExited && !(await resolvesWithin(handle.context.close(), CLOSE_CONTEXT_TIMEOUT_MS))) {
      this.kill('does_not_close_pages');
    }
    for (const tab of handle.idle) tab.discard();
    handle.egress.close();
    this.contexts -= 1;
  }

  kill(reason: string): void {
    if (this.hasExited) return;
    this.logger.warn('browser_killed', { browser_pid: this.chromium.pid, reason });
    killChromium(this.chromium.pid);
  }

  /**
   * Guards calls that normally take milliseconds: a Chromium that does not answer in time is
   * killed.
   */
  async whileAlive<T>(opening: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.kill('does_not_open_pages'), OPEN_TIMEOUT_MS);
    try {
      return await Promise.race([this.crashed, opening]);
    } catch (error) {
      opening.catch(() => {});
      if (error instanceof PageFailure || error instanceof FatalError) throw error;
      throw new PageFailure('browser_crashed', undefined, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
