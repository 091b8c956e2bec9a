import { PageFailure } from '../../core/jobs/page-errors.ts';
import type { Deadline } from '../fetching/deadline.ts';
import { isUnsupported } from '../response/content-type.ts';
import type { Answer, DocumentWatch } from './document-watch.ts';
import { type DomSnapshot, type DomSnapshotOptions, takeDomSnapshot } from './dom-snapshot.ts';
import { type EarlySnapshot, isStatic } from './early-snapshot.ts';
import { navigatedAway, runSource } from './in-page.ts';
import { navigationError } from './navigation-error.ts';
import { blockUrls, NO_URLS } from './request-interception.ts';
import type { Tab } from './tab.ts';

/** How long a page may keep changing after its document is parsed. */
const STABLE_MAX_MS = 5000;
/** How much longer a page may take that has next to no text while its scripts wait for data. */
const SPARSE_MAX_MS = 10_000;
/** Pages open windows and downloads some tenths of a second after a click. */
const ACTED_QUIET_MS = 600;
/** A page without a `load` event by then is waiting for a resource that hangs. */
const LOAD_MAX_MS = 3000;

/**
 * Navigates until the document is parsed; `waitUntilStable` waits for what scripts render.
 *
 * @throws PageFailure with the reason if there is no page
 */
export async function navigate(
  tab: Tab,
  url: string,
  watch: DocumentWatch,
  deadline: Deadline,
  referer?: string,
): Promise<void> {
  try {
    await goTo(tab, url, deadline, referer);
  } catch (error) {
    if (!isNavigationProblem(error)) throw error;
    const message = (error as Error).message;
    if (/frame was detached/.test(message))
      throw new PageFailure('browser_crashed', undefined, { cause: error });
    if (/interrupted by another navigation/.test(message)) {
      // The page's own script navigated before the first document was complete.
      await deadline.race(waitForDocument(tab));
    } else if (watch.stopped) {
      throw watch.stopped;
    } else if (watch.isDownload || isFile(message, watch.newestAnswer)) {
      throw watch.notAPage(error);
    } else if (!hasNoContent(watch.newestAnswer)) {
      // Chromium blocks unsafe ports before it asks the proxy; probing tells why the host fails.
      if (message.includes('ERR_UNSAFE_PORT')) await deadline.race(tab.egress.probe(watch.requestedUrl));
      const noted = tab.egress.failureOf(watch.requestedUrl);
      const code = navigationError(message, noted);
      if (code === 'egress_refused' && !noted) tab.egress.reportBlocked(watch.requestedUrl);
      throw new PageFailure(code, undefined, { cause: error });
    }
  }
}

async function goTo(tab: Tab, url: string, deadline: Deadline, referer?: string): Promise<void> {
  const options = { waitUntil: 'domcontentloaded', timeout: 0, ...(referer ? { referer } : {}) } as const;
  // Both, because `goto` never returns if a script navigates to a scheme no browser opens (`ftp:`).
  const go = () => deadline.race(Promise.race([tab.page.goto(url, options), documentReady(tab)]));
  try {
    await go();
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('ERR_BLOCKED_BY_CLIENT'))) throw error;
    // The page's own URL matched the blocked media: wikis have pages named File:Lock.png.
    await deadline.race(blockUrls(tab, NO_URLS));
    await go();
  }
}

/** Resolves when the next document of the main frame has been parsed. */
function documentReady(tab: Tab): Promise<void> {
  return new Promise((resolve) => {
    let navigated = false;
    tab.listen('Page.frameNavigated', ({ frame }) => {
      navigated ||= frame.id === tab.mainFrameId && /^https?:/.test(frame.url);
    });
    tab.listen('Page.domContentEventFired', () => {
      if (navigated) resolve();
    });
    // Instead of it, if a script aborted parsing by navigating to a URL that cannot be opened.
    tab.listen('Page.frameStoppedLoading', ({ frameId }) => {
      if (navigated && frameId === tab.mainFrameId) resolve();
    });
  });
}

/** Waits for the document of a navigation the page started itself, or a few seconds at most. */
export const waitForDocument = (tab: Tab): Promise<void> =>
  tab.page.waitForLoadState('domcontentloaded', { timeout: DOCUMENT_MS }).catch((error: unknown) => {
    if (!(error instanceof Error && /Timeout/.test(error.message))) throw error;
  });

const DOCUMENT_MS = 3000;

/**
 * Waits for script-rendered pages: until `load`, then until the document has not changed for a
 * moment and no script request is pending. Bounded: a page that stays active is taken as it is. A
 * static page is not waited for, and its snapshot comes with the same round trip.
 *
 * @param options.isCaptured wait for images and styles too
 * @param options.earlySnapshot used if it holds a snapshot
 * @param options.snapshot options for the snapshot of a static page; null: take none
 * @returns the snapshot; null if it is still to be taken
 */
export async function waitUntilStable(
  tab: Tab,
  watch: DocumentWatch,
  deadline: Deadline,
  options: {
    isCaptured: boolean;
    snapshot: DomSnapshotOptions | null;
    earlySnapshot?: EarlySnapshot | null;
    /** Actions have run: their effect may come a moment later. */
    hasActed?: boolean;
  },
): Promise<DomSnapshot | null> {
  if (options.earlySnapshot?.snapshot) {
    tab.isIdle = true;
    return options.earlySnapshot.snapshot;
  }
  let until = Date.now() + Math.min(STABLE_MAX_MS, deadline.remainingMs() * 0.7);
  let isExtended = false;
  watch.isStillLoading = false;
  const left = () => Math.max(0, until - Date.now());
  do {
    try {
      const limits = {
        loadMs: Math.min(LOAD_MAX_MS, left()),
        maxMs: left(),
        quietMs: options.hasActed ? ACTED_QUIET_MS : 300,
        unchangedMs: options.hasActed ? ACTED_QUIET_MS : 150,
        sparseQuietMs: 1200,
        checkEveryMs: 25,
        isCaptured: options.isCaptured,
        hasActed: options.hasActed ?? false,
      };
      const { state, isSparse, snapshot } = await deadline.race(
        runSource<{ limits: StabilityLimits; snapshot: DomSnapshotOptions | null }, Stability>(
          tab,
          UNTIL_STABLE,
          {
            limits,
            snapshot: options.snapshot,
          },
        ),
      );
      tab.isIdle = state === 'static';
      if (state === 'static') return snapshot;
      watch.isStillLoading = isSparse && watch.requestsUnderWay() > 0;
    } catch (error) {
      if (!navigatedAway(error)) throw error;
      // It navigated: the new document is the page.
      await deadline.race(waitForDocument(tab));
      continue;
    }
    if (watch.requestsUnderWay() === 0) return null;
    // A page without content yet whose data are on their way.
    if (watch.isStillLoading && left() < 100 && !isExtended) {
      isExtended = true;
      until = Date.now() + Math.min(SPARSE_MAX_MS, deadline.remainingMs() * 0.7);
    }
    await deadline.sleep(50);
  } while (left() > 0);
  return null;
}

interface StabilityLimits {
  loadMs: number;
  maxMs: number;
  /** Time without a change, for a page that changed after it was parsed. */
  quietMs: number;
  /** The same for a page that did not. */
  unchangedMs: number;
  /** The same for a page with little text: likely an app shell whose content is still to come. */
  sparseQuietMs: number;
  checkEveryMs: number;
  isCaptured: boolean;
  /** A page without scripts may act on a click. */
  hasActed: boolean;
}

interface Stability {
  state: 'static' | 'stable' | 'active';
  /** It has next to no text. */
  isSparse: boolean;
  snapshot: DomSnapshot | null;
}

/** Uses timers: a page that is not visible may get no animation frames. Runs in the page. */
function untilStable(
  limits: StabilityLimits,
  isStatic: () => boolean,
): Promise<Pick<Stability, 'state' | 'isSparse'>> {
  const start = performance.now();
  const textOf = (element: Element | null) => (element?.textContent ?? '').replace(/\s+/g, ' ').length;
  const isSparse = () =>
    Array.from(document.body?.querySelectorAll('script, style, noscript') ?? []).reduce(
      (left, unread) => left - textOf(unread),
      textOf(document.body),
    ) < 200;
  if (!limits.isCaptured && !limits.hasActed && document.readyState !== 'loading' && isStatic())
    return Promise.resolve({ state: 'static', isSparse: false });
  /** Frames below the fold are loaded too; what frames draw is a change of the page. */
  const textOfFrames = () => {
    let sum = 0;
    for (const frame of document.querySelectorAll('iframe, frame')) {
      if (frame.getAttribute('loading') === 'lazy') frame.setAttribute('loading', 'eager');
      sum += (frame as HTMLIFrameElement).contentDocument?.body?.textContent?.length ?? 0;
    }
    return sum;
  };
  return new Promise((resolve) => {
    // Time without a change. Each check adds at most two intervals: on a machine so busy that
    // checks are late, the page's own timers are late too.
    let sinceChangeMs = 0;
    let lastCheck = start;
    let changed = false;
    const observer = new MutationObserver(() => {
      sinceChangeMs = 0;
      changed = true;
    });
    observer.observe(document, { subtree: true, childList: true, characterData: true });
    const end = (how: Stability['state']) => {
      clearTimeout(timer);
      observer.disconnect();
      resolve({ state: how, isSparse: isSparse() });
    };
    let inFrames = textOfFrames();
    let loaded = document.readyState === 'complete';
    const check = () => {
      const now = performance.now();
      sinceChangeMs += Math.min(now - lastCheck, 2 * limits.checkEveryMs);
      lastCheck = now;
      const nowInFrames = textOfFrames();
      if (nowInFrames !== inFrames) sinceChangeMs = 0;
      inFrames = nowInFrames;
      if (!loaded && (document.readyState === 'complete' || now - start >= limits.loadMs)) {
        loaded = true;
        sinceChangeMs = 0;
      }
      if (loaded && !limits.hasActed && isStatic()) return end('static');
      if (now - start >= limits.maxMs) return end('active');
      const quietMs = isSparse() ? limits.sparseQuietMs : changed ? limits.quietMs : limits.unchangedMs;
      if (loaded && sinceChangeMs >= quietMs) return end('stable');
      timer = setTimeout(check, limits.checkEveryMs);
    };
    // The event too, not only the next check: a static page is done the moment it has loaded.
    if (!loaded) addEventListener('load', () => setTimeout(check, 0), { once: true });
    let timer = setTimeout(check, 0);
  });
}

/** As source text: a function that runs in the page must be self-contained. */
const UNTIL_STABLE = `async ({ limits, snapshot }) => {
  const { state, isSparse } = await (${untilStable})(limits, ${isStatic});
  return { state, isSparse, snapshot: state === 'static' && snapshot ? (${takeDomSnapshot})(snapshot) : null };
}`;

/** Chromium aborts the navigation to save a file; the download event comes after its error. */
const isFile = (message: string, answer: Answer | null) =>
  message.includes('Download is starting') || isUnsupported(answer?.contentType);

const hasNoContent = (answer: Answer | null) => answer?.status === 204 || answer?.status === 205;

const isNavigationProblem = (error: unknown) =>
  error instanceof Error &&
  /net::ERR_|interrupted by another navigation|Download is starting|frame was detached/.test(error.message);
