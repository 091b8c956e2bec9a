import type { BrowserContext, CDPSession, Download, Page } from 'playwright';
import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { EgressClient, EgressPage } from '../egress/proxy-client.ts';
import { resolvesWithin } from '../fetching/deadline.ts';
import { enableEarlySnapshot } from './early-snapshot.ts';

type Listen = CDPSession['on'];

/**
 * One page of Chromium, which shows pages of a job one after the other. What a page's visit hears and sets is undone at its end,
 * by `endUse`, so that the next begins as the first did.
 */
export class Tab {
  /** Rejects with `browser_crashed`, never resolves. */
  readonly crashed: Promise<never>;
  /** What passes through the proxy while a page is shown. */
  egress: EgressPage;
  /** Whether the page shown does nothing by itself any more, so that another can take its place without more ado. */
  isIdle = true;
  /** Whether its context can go as soon as the page shown is done with. */
  isLastUse = false;
  /** What `Network.setBlockedURLs` was given last. */
  blocked: readonly string[] = [];
  /** Which requests wait for our word; null: none. */
  paused: 'documents' | 'documents and styles' | 'all' | null = null;
  /** See `enableEarlySnapshot`; null: it does not. */
  earlySnapshotScript: string | null = null;
  #undo: (() => void)[] = [];
  #blanking: NodeJS.Timeout | undefined;
  /** Settles when the tab is empty, or cannot be emptied. */
  #emptied: Promise<void> | undefined;

  constructor(
    readonly page: Page,
    /** Of our own, beside Playwright's. */
    readonly cdp: CDPSession,
    readonly mainFrameId: string,
    readonly client: EgressClient,
    browserCrashed: Promise<never>,
  ) {
    this.egress = client.beginPage(0);
    this.egress.end();
    this.crashed = Promise.race([
      browserCrashed,
      new Promise<never>((_, reject) => {
        page.once('crash', () => reject(new PageFailure('browser_crashed')));
      }),
    ]);
    this.crashed.catch(() => {});
  }

  /** Hears events of the page until the end of this use. */
  readonly listen: Listen = (event: never, listener: never) => {
    this.cdp.on(event, listener);
    this.#undo.push(() => this.cdp.off(event, listener));
    return this.cdp;
  };

  /** As `listen`. */
  onDownload(listener: (download: Download) => void): void {
    this.page.on('download', listener);
    this.#undo.push(() => this.page.off('download', listener));
  }

  async beginUse(maxBytes: number): Promise<void> {
    clearTimeout(this.#blanking);
    // Two navigations at once interrupt each other.
    await this.#emptied;
    // A page with scripts may be about to go elsewhere, and would take the next one's place.
    if (!this.isIdle) await this.page.goto('about:blank');
    this.isIdle = false;
    this.isLastUse = false;
    this.egress = this.client.beginPage(maxBytes);
  }

  /** What the page still does is of no use to anyone; but a next one that comes at once ends it as well. */
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

  /** Its context has ended. */
  discard(): void {
    clearTimeout(this.#blanking);
    this.egress.end();
  }

  /** Whether it closed in time. */
  async close(): Promise<boolean> {
    this.discard();
    return resolvesWithin(this.page.close(), CLOSE_PAGE_TIMEOUT_MS);
  }
}

const BLANK_AFTER_MS = 250;
export const CLOSE_PAGE_TIMEOUT_MS = 2000;

/** @param browserCrashed rejects with `browser_crashed`, never resolves */
export async function openTab(
  context: BrowserContext,
  egress: EgressClient,
  browserCrashed: Promise<never>,
): Promise<Tab> {
  const page = await context.newPage();
  // Nobody looks at what a page opens or asks; unanswered, a dialog would stop the page for ever.
  page.on('dialog', (dialog) => void dialog.dismiss().catch(() => {}));
  page.on('popup', (popup) => void popup.close().catch(() => {}));
  const cdp = await context.newCDPSession(page);
  const [{ frameTree }, earlySnapshotScript] = await Promise.all([
    cdp.send('Page.getFrameTree'),
    enableEarlySnapshot(cdp),
    cdp.send('Page.enable'),
    cdp.send('Network.enable'),
  ]);
  const tab = new Tab(page, cdp, frameTree.frame.id, egress, browserCrashed);
  tab.earlySnapshotScript = earlySnapshotScript;
  return tab;
}
