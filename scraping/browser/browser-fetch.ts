import { DEFAULT_FORMATS, type JobCookie } from '../../core/jobs/job-schemas.ts';
import type { Page } from '../../core/jobs/page.ts';
import { badSelector, PageFailure } from '../../core/jobs/page-errors.ts';
import { framesMissing, pageWarning } from '../../core/jobs/page-warnings.ts';
import { withoutLogin } from '../../core/url-login.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import type { Extracted, Format } from '../extraction/extract.ts';
import { storable } from '../extraction/storable.ts';
import { Deadline } from '../fetching/deadline.ts';
import type { ScrapedPage, ScrapeSpec } from '../fetching/page.ts';
import type { RedirectPermission } from '../politeness/permit.ts';
import { MAX_REFRESHES, refreshMarkup, refreshTarget } from '../response/refresh.ts';
import { keepLinksInTab, watchActionEffects } from './action-effects.ts';
import { ACTION_ERRORS, handleEffects, runActions } from './actions.ts';
import { addTaken, printPdf, type Taken, takeScreenshot } from './capture.ts';
import { DocumentWatch } from './document-watch.ts';
import { type DomSnapshot, type DomSnapshotOptions, takeDomSnapshot } from './dom-snapshot.ts';
import { awaitEarlySnapshot, disableEarlySnapshot } from './early-snapshot.ts';
import { countMissing, readForeignFrames } from './foreign-frames.ts';
import { navigatedAway, runInPage } from './in-page.ts';
import { navigate, waitForDocument, waitUntilStable } from './navigation.ts';
import type { BrowserPool } from './pool.ts';
import { interceptRequests } from './request-interception.ts';
import { sessionOptions } from './session-options.ts';
import { chooseReadable } from './shown-document.ts';
import type { Tab } from './tab.ts';

/** Fetches a job's pages in the browser: one browser context per job, several tabs at once. */
export interface BrowserFetcher {
  fetch(url: string, options: BrowserFetchOptions): Promise<BrowserPage>;
  close(): Promise<void>;
}

export interface BrowserFetchOptions {
  /** From navigation to content; waiting for a free tab does not count. */
  timeoutMs: number;
  permit?: RedirectPermission | undefined;
}

export interface BrowserPage extends ScrapedPage {
  /** The document as rendered; null if there was no snapshot. */
  renderedHtml: string | null;
  /** If the address leads to a file: where it is, and the cookies to fetch it with. */
  file: { url: string; cookies: JobCookie[] } | null;
}

export interface BrowserFetchContext {
  signal: AbortSignal;
  browser: BrowserPool;
  logger: Logger;
  /** Limit for a page's rendered HTML. */
  maxPageBytes: number;
  /** Pages of the job in the browser at once. */
  tabs: number;
  /** The job has one page only: its browser context closes with the page, before `close`. */
  isOnlyPage?: boolean;
}

export function openBrowserFetcher(spec: ScrapeSpec, context: BrowserFetchContext): BrowserFetcher {
  const session = context.browser.openSession(sessionOptions(spec, context.tabs));

  const fetchPage = async (url: string, { timeoutMs, permit }: BrowserFetchOptions): Promise<BrowserPage> => {
    const slot = await session.acquireSlot(context.signal);
    const startedAt = Date.now();
    const findings: Findings = {
      ...{ watch: null, snapshot: null, extracted: {}, artifacts: [], warnings: [], error: null, file: null },
      reading: Promise.resolve(),
    };
    const deadline = new Deadline(timeoutMs, context.signal, () => new PageFailure('page_timeout'));
    try {
      const fetched = session.withTab(slot, { maxBytes: context.maxPageBytes }, (tab) =>
        runFetch({ tab, url, spec, context, deadline, findings, permit }).catch(async (error: unknown) => {
          if (error instanceof PageFailure && error.code === 'unsupported_content')
            findings.file = await deadline.race(fileAt(tab, findings.watch?.requestedUrl ?? url));
          throw error;
        }),
      );
      await deadline.race(fetched);
      await deadline.race(findings.reading);
    } catch (error) {
      // A failed capture does not discard the extracted content.
      await deadline.race(findings.reading).catch(() => {});
      context.signal.throwIfAborted();
      const failure = failureOf(error);
      // Playwright's errors may come before the event that has the reason.
      const reason = failure.code === 'browser_crashed' ? findings.watch?.tab.crashReason() : undefined;
      findings.error = (reason?.code === 'page_out_of_memory' ? reason : failure).info;
      context.logger.debug('page_failed', { code: findings.error.code, cause: error });
    } finally {
      deadline.end(new PageFailure('page_timeout'));
      deadline.dispose();
    }
    return {
      page: pageOf(url, findings, startedAt),
      artifacts: findings.artifacts,
      retryAfterMs: (findings.watch?.answer ?? findings.watch?.newestAnswer)?.retryAfterMs ?? null,
      renderedHtml: findings.snapshot?.html ?? null,
      file: findings.error?.code === 'unsupported_content' ? findings.file : null,
    };
  };

  return {
    fetch: fetchPage,
    close: () => session.close(),
  };
}

/** Results so far. A page that fails half way returns what is in here. */
interface Findings extends Taken {
  watch: DocumentWatch | null;
  snapshot: DomSnapshot | null;
  extracted: Extracted;
  /** Settles once `extracted` is set. */
  reading: Promise<void>;
  error: Page['error'];
  file: BrowserPage['file'];
}

interface FetchRun {
  tab: Tab;
  url: string;
  spec: ScrapeSpec;
  context: BrowserFetchContext;
  deadline: Deadline;
  findings: Findings;
  permit: RedirectPermission | undefined;
}

/**
 * Load, run actions, snapshot, capture. Extraction runs in a thread and does not hold the tab: a
 * page left open keeps spending CPU on layout and paint.
 * @throws PageFailure if it ends early
 */
async function runFetch({ tab, url, spec, context, deadline, findings, permit }: FetchRun): Promise<void> {
  const formats: readonly Format[] = spec.formats ?? DEFAULT_FORMATS;
  const watch = new DocumentWatch(tab, { url, maxBytes: context.maxPageBytes, permit, deadline });
  findings.watch = watch;
  let isRead = false;
  tab.crashed.catch((error: unknown) => {
    // A retired browser exits after its last page, possibly while that page is being extracted.
    if (!isRead) deadline.end(error);
  });
  const isCaptured =
    formats.some((format) => format === 'screenshot' || format === 'pdf') ||
    (spec.actions ?? []).some(({ type }) => type === 'screenshot');
  const headers = spec.headers ?? {};
  const snapshotOptions = { maxChars: context.maxPageBytes };
  const actions = spec.actions ?? [];
  const isOneSnapshotEnough = !isCaptured && actions.length === 0;
  const earlySnapshot = isOneSnapshotEnough ? awaitEarlySnapshot(tab) : null;
  await deadline.race(
    Promise.all([
      interceptRequests(tab, {
        ...{ url, headers, logins: spec.logins, blockMedia: !isCaptured },
        navigations: permit && watch,
        untilActive: earlySnapshot?.active,
      }),
      isOneSnapshotEnough ? undefined : disableEarlySnapshot(tab),
      actions.length > 0 ? keepLinksInTab(tab) : undefined,
    ]),
  );

  await navigate(tab, url, watch, deadline);
  const snapshotAtOnce = actions.length > 0 ? null : snapshotOptions;
  const stability = { isCaptured, snapshot: snapshotAtOnce, earlySnapshot };
  const first = await waitUntilStable(tab, watch, deadline, stability);
  // The browser shows pictures, which are read as files.
  if (formats.includes('screenshot') && /^image\//.test(watch.answer?.contentType ?? ''))
    addTaken(findings, await capture(takeScreenshot(tab, 'screenshot', true), deadline));
  await watch.assertDocument(deadline);
  const seen = await followRefreshes(first, { tab, watch, deadline, stability, snapshotOptions });
  findings.error = watch.error();

  if (actions.length > 0) {
    tab.isIdle = false;
    try {
      const effects = watchActionEffects(tab, watch, deadline);
      await runActions(tab, actions, findings, deadline, effects);
      await waitUntilStable(tab, watch, deadline, { isCaptured, snapshot: null, hasActed: true });
      const before = watch.documentsRequested;
      await handleEffects(effects, actions, actions.length - 1);
      if (watch.documentsRequested !== before)
        await waitUntilStable(tab, watch, deadline, { isCaptured, snapshot: null, hasActed: true });
    } catch (error) {
      if (!(error instanceof PageFailure && ACTION_ERRORS.has(error.code))) throw error;
      // The page is still returned in the state the failed action left it in.
      findings.error ??= error.info;
    }
    await watch.assertDocument(deadline);
    findings.error ??= watch.error();
  }

  const snapshot = seen ?? (await takeSnapshot(tab, snapshotOptions, deadline));
  if (snapshot.html === null) throw new PageFailure('page_too_large');
  findings.snapshot = snapshot;
  await readForeignFrames(tab, snapshot.frames, context.maxPageBytes, deadline);
  const missing = countMissing(snapshot.frames, snapshot.url);
  if (missing > 0) findings.warnings.push(framesMissing(missing));
  if (watch.isStillLoading) findings.warnings.push(pageWarning('still_loading'));
  const reading = context.browser.extractor.extract(
    {
      ...(await chooseReadable(snapshot, snapshot.html, watch, deadline)),
      url: snapshot.url,
      charset: snapshot.charset,
      formats,
      mainContent: spec.main_content ?? true,
      fields: spec.extract ?? {},
      likeness: spec.likeness ?? false,
      frames: snapshot.frames,
    },
    deadline.signal,
  );
  findings.reading = reading.then(({ badFields, fault, isEmpty, ...extracted }) => {
    findings.extracted = extracted;
    findings.error ??= fault ?? null;
    if (isEmpty) findings.warnings.push(pageWarning('no_text'));
    if (badFields && badFields.length > 0) findings.error ??= badSelector(badFields);
  });
  findings.reading.catch(() => {});
  if (formats.includes('screenshot'))
    addTaken(findings, await capture(takeScreenshot(tab, 'screenshot', true), deadline));
  if (formats.includes('pdf')) addTaken(findings, await capture(printPdf(tab), deadline));
  isRead = true;
  // A page to be retried after `Retry-After` must keep its context: same cookies, same client.
  tab.isLastUse = context.isOnlyPage === true && !watch.answer?.retryAfterMs;
}

/** Where the file is, with the cookies that the browser would send there. */
async function fileAt(tab: Tab, url: string): Promise<NonNullable<BrowserPage['file']>> {
  const cookies = await tab.page.context().cookies(url);
  return {
    url,
    cookies: cookies.map(({ name, value, domain, path, secure, expires }) => ({
      ...{ name, value, domain, path, secure },
      ...(expires > 0 ? { expires } : {}),
    })),
  };
}

/**
 * Follows a page's own refresh (header or `<meta>`) at once if its delay is short. The permit
 * decides, as for redirects; if it denies the target, the page is returned as it is.
 *
 * @returns the snapshot of the last page, if one was taken already
 */
async function followRefreshes(
  first: DomSnapshot | null,
  { tab, watch, deadline, stability, snapshotOptions }: Following,
): Promise<DomSnapshot | null> {
  let seen = first;
  for (let refreshes = 0; ; refreshes += 1) {
    const { answer } = watch;
    if (!answer || answer.status >= 400 || watch.stopped) return seen;
    // Actions run before the snapshot, so with actions only the header is checked.
    seen ??= stability.snapshot ? await takeSnapshot(tab, snapshotOptions, deadline) : null;
    const next = refreshTarget({
      ...{ url: seen?.url ?? answer.url, header: answer.refresh },
      markup: seen?.html ? refreshMarkup(seen.html) : null,
    });
    if (next === null) return seen;
    if (refreshes === MAX_REFRESHES) throw new PageFailure('too_many_redirects');
    try {
      await navigate(tab, next, watch, deadline);
    } catch (error) {
      if (watch.stopped !== null && error === watch.stopped) return seen;
      throw error;
    }
    seen = await waitUntilStable(tab, watch, deadline, stability);
    await watch.assertDocument(deadline);
  }
}

interface Following {
  tab: Tab;
  watch: DocumentWatch;
  deadline: Deadline;
  stability: Parameters<typeof waitUntilStable>[3];
  snapshotOptions: DomSnapshotOptions;
}

/** Takes a snapshot; if the page navigates meanwhile, takes it from the next document. */
async function takeSnapshot(tab: Tab, options: DomSnapshotOptions, deadline: Deadline): Promise<DomSnapshot> {
  for (;;) {
    try {
      const snapshot = await deadline.race(runInPage(tab, takeDomSnapshot, options));
      return snapshot.mayHaveClosedRoots ? await withClosedRoots(tab, snapshot, options, deadline) : snapshot;
    } catch (error) {
      if (!navigatedAway(error)) throw error;
      await deadline.race(waitForDocument(tab));
    }
  }
}

/** Closed shadow roots are shown to users, and readable by the browser's own protocol only. */
async function withClosedRoots(
  { cdp }: Tab,
  snapshot: DomSnapshot,
  { maxChars }: DomSnapshotOptions,
  deadline: Deadline,
): Promise<DomSnapshot> {
  const { root } = await deadline.race(cdp.send('DOM.getDocument', { depth: 0 }));
  const { outerHTML } = await deadline.race(
    cdp.send('DOM.getOuterHTML', { nodeId: root.nodeId, includeShadowDOM: true }),
  );
  await deadline.race(cdp.send('DOM.disable'));
  if (!outerHTML.includes('shadowrootmode="closed"')) return snapshot;
  return { ...snapshot, html: outerHTML.length > maxChars ? null : outerHTML };
}

async function capture<T>(taking: Promise<T>, deadline: Deadline): Promise<T> {
  try {
    return await deadline.race(taking);
  } catch (error) {
    if (error instanceof Error && error.name === 'Error') {
      throw new PageFailure('capture_failed', undefined, { cause: error });
    }
    throw error;
  }
}

function failureOf(error: unknown): PageFailure {
  if (error instanceof PageFailure) return error;
  // Playwright has many messages for a page or browser that is gone.
  if (
    error instanceof Error &&
    /has been closed|Target closed|Target crashed|crashed|Session closed|disconnected/i.test(error.message)
  ) {
    return new PageFailure('browser_crashed', undefined, { cause: error });
  }
  throw error;
}

const BLANK = 'about:blank';

function pageOf(url: string, findings: Findings, startedAt: number): Page {
  const { watch, snapshot, extracted, error, warnings } = findings;
  const answer = watch?.answer ?? null;
  // A response without content (204) leaves the tab at about:blank.
  const finalUrl = (snapshot?.url === BLANK ? answer?.url : snapshot?.url) ?? answer?.url ?? null;
  return {
    url,
    final_url: finalUrl === null ? null : withoutLogin(finalUrl),
    status_code: answer?.status ?? null,
    content_type: answer?.contentType ?? null,
    ...extracted,
    title: extracted.title?.trim() || storable(snapshot?.title.trim() || null),
    engine: 'browser',
    fetched_at: new Date(startedAt).toISOString(),
    duration_ms: Date.now() - startedAt,
    error,
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}
