import type { BrowserContext, CDPSession, Download, Page } from 'playwright';
import type { PageFailure } from '../../core/jobs/page-errors.ts';
import type { EgressClient, EgressPage } from '../egress/proxy-client.ts';
import { resolvesWithin } from '../fetching/deadline.ts';
import { enableEarlySnapshot } from './early-snapshot.ts';

type Listen = CDPSession['on'];

/**
 * One Chromium tab, which loads pages of a job one after the other. `endUse` removes the listeners
 * of a page, so that each page starts from the same state.
 */
export class Tab {
  /** Rejects with the reason of a crash, never resolves. */
  readonly crashed: Promise<never>;
  /** The current page's traffic through the proxy. */
  egress: EgressPage;
  /**
   * Whether the current page is inactive, so that the tab can navigate without being blanked first.
   */
  isIdle = true;
  /** Whether the context can close after the current page. */
  isLastUse = false;
  /** The last value set with `Network.setBlockedURLs`. */
  blocked: readonly string[] = [];
  /** Which requests are intercepted; null: none. */
  paused: 'documents' | 'documents and styles' | 'all' | null = null;
  /** Id of the injected script, see `enableEarlySnapshot`; null: not injected. */
  earlySnapshotScript: string | null = null;
  /** Whether links that open windows are kept in the tab, see `keepLinksInTab`. */
  keepsLinks = false;
  #undo: (() => void)[] = [];
  #blanking: NodeJS.Timeout | undefined;
  /** Settles once the tab is blank, or blanking failed. */
  #emptied: Promise<void> | undefined;

  constructor(
    readonly page: Page,
    /** Separate from Playwright's own session. */
    readonly cdp: CDPSession,
    readonly mainFrameId: string,
    readonly client: EgressClient,
    private readonly browser: Crashing,
  ) {
    this.egress = client.beginPage(0);
    this.egress.end();
    this.crashed = Promise.race([
      browser.crashed,
      new Promise<never>((_, reject) => {
        page.once('crash', () => reject(browser.crashReason()));
      }),
    ]);
    this.crashed.catch(() => {});
  }

  /** Why the page failed if its tab crashed just now. */
  crashReason(): PageFailure {
    return this.browser.crashReason();
  }

  /** Subscribes to CDP events until `endUse`. */
  readonly listen: Listen = (event: never, listener: never) => {
    this.cdp.on(event, listener);
    this.#undo.push(() => this.cdp.off(event, listener));
    return this.cdp;
  };

  /** Subscribes to downloads until `endUse`. */
  onDownload(listener: (download: Download) => void): void {
    this.page.on('download', listener);
    this.#undo.push(() => this.page.off('download', listener));
  }

  async beginUse(maxBytes: number): Promise<void> {
    clearTimeout(this.#blanking);
    // Two navigations at once interrupt each other.
    await this.#emptied;
    // A page with scripts may still navigate, which would replace the next page.
    if (!this.isIdle) await this.page.goto('about:blank');
    this.isIdle = false;
    this.isLastUse = false;
    this.egress = this.client.beginPage(maxBytes);
  }

  /**
   * Blanks the tab after a moment, to stop the old page; a page that follows at once replaces it
   * anyway.
   */
  async endUse(): Promise<void> {
    this.egress.end();
    for (const undo of this.#undo) undo();
    this.#undo = [];
    if (this.isIdle) return;
    this.#blanking = setTimeout(() => {
      this.#emptied = this.page
        .goto('about:blank')
        .then(() => {
          this.isIdle = true;
        })
        .catch(() => {});
    }, BLANK_AFTER_MS);
    this.#blanking.unref();
  }

  /** For a tab whose context is closed. */
  discard(): void {
    clearTimeout(this.#blanking);
    this.egress.end();
  }

  /** @returns whether it closed in time */
  async close(): Promise<boolean> {
    this.discard();
    return resolvesWithin(this.page.close(), CLOSE_PAGE_TIMEOUT_MS);
  }
}

const BLANK_AFTER_MS = 250;
export const CLOSE_PAGE_TIMEOUT_MS = 2000;

/** What a tab must know of its browser. */
interface Crashing {
  /** Rejects with the reason of a crash, never resolves. */
  readonly crashed: Promise<never>;
  crashReason(): PageFailure;
}

export async function openTab(
  context: BrowserContext,
  egress: EgressClient,
  browser: Crashing,
): Promise<Tab> {
  const page = await context.newPage();
  // An unanswered dialog would block the page for ever. Dismissing `beforeunload` would keep the
  // page against the action or the next page. Popups are never used.
  page.on('dialog', (dialog) => void dialog.accept().catch(() => {}));
  page.on('popup', (popup) => void popup.close().catch(() => {}));
  const cdp = await context.newCDPSession(page);
  const [{ frameTree }, earlySnapshotScript] = await Promise.all([
    cdp.send('Page.getFrameTree'),
    enableEarlySnapshot(cdp),
    cdp.send('Page.enable'),
    cdp.send('Network.enable'),
  ]);
  const tab = new Tab(page, cdp, frameTree.frame.id, egress, browser);
  tab.earlySnapshotScript = earlySnapshotScript;
  return tab;
}
