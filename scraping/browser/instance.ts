import type { BrowserContext, BrowserContextOptions } from 'playwright';
import { FatalError } from '../../core/errors.ts';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import type { EgressClient } from '../egress/proxy-client.ts';
import { resolvesWithin } from '../fetching/deadline.ts';
import { type ChromiumProcess, killChromium, VIEWPORT } from './process/chromium.ts';
import { type Excess, watchMemory } from './process/memory-watch.ts';
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
/** How long after the end of a process its pages learn of it. */
const CRASH_TOLD_MS = 3000;
const toMb = (bytes: number) => Math.round(bytes / 1024 / 1024);
const CLOSE_CONTEXT_TIMEOUT_MS = 3000;

/** One Chromium from launch to end, and the contexts in it. */
export class BrowserInstance {
  contexts = 0;
  /** Pages being loaded. */
  busy = 0;
  pages = 0;
  /** Gets no new contexts and exits after its last one. */
  retired = false;
  /** The process has exited; a call to it would never return. */
  hasExited = false;
  /** Rejects with `browser_crashed`, never resolves. */
  readonly crashed: Promise<never>;
  /** A pre-opened, unused context. */
  ready: Promise<ContextHandle> | undefined;

  /** Ends the measuring of its memory. */
  readonly stopWatching: () => void;
  /** When, and why, a process was ended for its memory. */
  #ended: { at: number; failure: PageFailure } | undefined;

  constructor(
    readonly chromium: ChromiumProcess,
    private readonly logger: Logger,
    /** For all of its processes; unset: none. */
    memoryLimitBytes: number | undefined,
  ) {
    this.crashed = new Promise<never>((_, reject) => {
      chromium.browser.on('disconnected', () => reject(this.crashReason()));
    });
    this.crashed.catch(() => {});
    this.stopWatching = memoryLimitBytes
      ? watchMemory(chromium.pid, memoryLimitBytes, (excess) => this.#endForMemory(excess, memoryLimitBytes))
      : () => {};
  }

  /** The failure of a page whose tab or browser crashed just now. */
  crashReason(): PageFailure {
    const { at, failure } = this.#ended ?? { at: Number.NEGATIVE_INFINITY, failure: undefined };
    return failure && performance.now() - at < CRASH_TOLD_MS ? failure : new PageFailure('browser_crashed');
  }

  /**
   * Ends the renderer of the page at fault, or the whole browser if the memory is elsewhere. A page
   * that was the only one, or alone took most of the limit, would do so again; if all pages together
   * did, they may fit later.
   */
  #endForMemory({ process: { pid, kind, bytes }, totalBytes, isAlone }: Excess, limitBytes: number): void {
    const isItsFault = this.busy <= 1 || (isAlone && kind === 'renderer');
    this.#ended = {
      at: performance.now(),
      failure: isItsFault
        ? new PageFailure('page_out_of_memory')
        : new PageFailure('browser_crashed', 'the pages open in the browser took more memory than it may'),
    };
    this.logger.warn('browser_out_of_memory', {
      ...{ browser_pid: this.chromium.pid, ended: kind, ended_pid: pid, ended_mb: toMb(bytes) },
      ...{ total_mb: toMb(totalBytes), limit_mb: toMb(limitBytes) },
    });
    if (kind !== 'renderer') {
      this.kill('out_of_memory');
      return;
    }
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ESRCH: already gone.
    }
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
      const tab = await this.whileAlive(openTab(context, egress, this));
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
