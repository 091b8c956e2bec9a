import type { Artifact, Page } from '../core/page.ts';
import { DEFAULT_FORMATS, type ScrapeRequest } from '../core/schemas.ts';
import type { Logger } from '../runtime/logger.ts';
import { runActions } from './actions.ts';
import type { BrowserPool, Tab } from './browser.ts';
import { printPdf, takeScreenshot } from './capture.ts';
import { type CollectOptions, collect, type Snapshot } from './collect.ts';
import type { Extracted, Format } from './content/extract.ts';
import { storable } from './content/storable.ts';
import { Deadline } from './deadline.ts';
import { navigatedAway, runInPage } from './in-page.ts';
import { DocumentWatch, load, settle } from './load.ts';
import { httpStatusError, PageFailure, pageError } from './page-errors.ts';
import { prepareRequests } from './requests.ts';

/**
 * Scrapes the URLs of one job, one after the other, in a browser context of its own:
 *
 *     const scraping = openScraping(spec, context);
 *     try { for (const url of spec.urls) save(await scraping.scrape(url)); } finally { await scraping.close(); }
 *
 * Whatever goes wrong with a page is in its `error`, and `pageErrorConsequence` says whether another attempt could help.
 * `scrape` rejects for two reasons only: the signal fired (with its reason, at once), or this program has a bug.
 */
export interface Scraping {
  /** One call at a time. Open several scrapings of a job to have several pages at once. */
  scrape(url: string): Promise<ScrapedPage>;
  close(): Promise<void>;
}

export interface ScrapeContext {
  signal: AbortSignal;
  browser: BrowserPool;
  logger: Logger;
  /** For a page from navigation to content; `spec.timeout_ms` goes before it. */
  pageTimeoutMs: number;
  /** Of a page's document, decoded, and of its HTML once drawn. */
  maxPageBytes: number;
}

export interface ScrapedPage {
  /** Without the paths of its artifacts: whoever stores those knows them. */
  page: Page;
  artifacts: Artifact[];
  /** How long the server asks to be left alone, with the page or instead of it. */
  retryAfterMs: number | null;
}

export type ScrapeSpec = Pick<
  ScrapeRequest,
  'formats' | 'main_content' | 'extract' | 'actions' | 'headers' | 'timeout_ms'
>;

export function openScraping(spec: ScrapeSpec, context: ScrapeContext): Scraping {
  const session = context.browser.openSession();

  return {
    async scrape(url) {
      const startedAt = Date.now();
      const findings: Findings = { watch: null, snapshot: null, extracted: {}, artifacts: [], error: null };
      const deadline = new Deadline(
        spec.timeout_ms ?? context.pageTimeoutMs,
        context.signal,
        () => new PageFailure('page_timeout'),
      );
      try {
        const visited = session.withTab({ maxBytes: context.maxPageBytes }, (tab) =>
          visit({ tab, url, spec, context, deadline, findings }),
        );
        await deadline.race(visited);
      } catch (error) {
        context.signal.throwIfAborted();
        findings.error = failureOf(error).info;
        context.logger.debug('page_failed', { code: findings.error.code, cause: error });
      } finally {
        deadline.end(new PageFailure('page_timeout'));
        deadline.dispose();
      }
      const { artifacts, watch } = findings;
      const retryAfterMs = (watch?.answer ?? watch?.newestAnswer)?.retryAfterMs ?? null;
      return { page: pageOf(url, findings, startedAt), artifacts, retryAfterMs };
    },
    close: () => session.close(),
  };
}

/** One page with a session of its own. */
export async function scrape(
  request: { url: string; spec: ScrapeSpec },
  context: ScrapeContext,
): Promise<ScrapedPage> {
  const scraping = openScraping(request.spec, context);
  try {
    return await scraping.scrape(request.url);
  } finally {
    // Not awaited: it may take seconds to end a page that hangs, and the pool waits for it when it stops.
    void scraping.close();
  }
}

/** What has been learned of a page so far: when it fails half way, this is what its user gets. */
interface Findings {
  watch: DocumentWatch | null;
  snapshot: Snapshot | null;
  extracted: Extracted;
  artifacts: Artifact[];
  error: Page['error'];
}

interface Visit {
  tab: Tab;
  url: string;
  spec: ScrapeSpec;
  context: ScrapeContext;
  deadline: Deadline;
  findings: Findings;
}

/** A page's story: load, act, look, read, picture. @throws PageFailure where it ends early */
async function visit({ tab, url, spec, context, deadline, findings }: Visit): Promise<void> {
  const formats: readonly Format[] = spec.formats ?? DEFAULT_FORMATS;
  const watch = new DocumentWatch(tab, url, context.maxPageBytes, () =>
    deadline.end(new PageFailure('page_too_large')),
  );
  findings.watch = watch;
  tab.crashed.catch((error: unknown) => deadline.end(error));
  const isPictured =
    formats.some((format) => format === 'screenshot' || format === 'pdf') ||
    spec.actions?.some(({ type }) => type === 'screenshot');
  await deadline.race(prepareRequests(tab, { url, headers: spec.headers ?? {}, blockPictures: !isPictured }));

  await load(tab, url, watch, deadline);
  findings.error = httpStatusError(watch.answer?.status ?? 200);

  if (spec.actions && spec.actions.length > 0) {
    try {
      await runActions(tab, spec.actions, findings.artifacts, deadline);
      await settle(tab, watch, deadline);
    } catch (error) {
      if (!(error instanceof PageFailure && error.code === 'action_failed')) throw error;
      // The page as it is then is still worth having.
      findings.error ??= error.info;
    }
    watch.assertDocument();
    findings.error ??= httpStatusError(watch.answer?.status ?? 200);
  }

  const snapshot = await look(tab, { maxChars: context.maxPageBytes, extract: spec.extract ?? {} }, deadline);
  if (snapshot.html === null) throw new PageFailure('page_too_large');
  findings.snapshot = snapshot;
  if (snapshot.badSelectors.length > 0) {
    findings.error ??= pageError(
      'bad_selector',
      `extract: the selector of ${snapshot.badSelectors.join(', ')} is not valid CSS`,
    );
  }
  findings.extracted = await deadline.race(
    context.browser.extractor.extract(
      {
        html: snapshot.html,
        url: snapshot.url,
        title: snapshot.title,
        charset: snapshot.charset,
        formats,
        mainContent: spec.main_content ?? true,
      },
      deadline.signal,
    ),
  );
  if (formats.includes('screenshot'))
    findings.artifacts.push(await capture(takeScreenshot(tab, 'screenshot', true), deadline));
  if (formats.includes('pdf')) findings.artifacts.push(await capture(printPdf(tab), deadline));
}

/** One look into the page. A page on its way elsewhere is looked at where it arrives. */
async function look(tab: Tab, options: CollectOptions, deadline: Deadline): Promise<Snapshot> {
  for (;;) {
    try {
      return await deadline.race(runInPage(tab, collect, options));
    } catch (error) {
      if (!navigatedAway(error)) throw error;
      await deadline.race(tab.page.waitForLoadState('domcontentloaded', { timeout: 0 }));
    }
  }
}

async function capture(taking: Promise<Artifact>, deadline: Deadline): Promise<Artifact> {
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
  // Playwright says in many ways that the page or browser under a call is gone.
  if (
    error instanceof Error &&
    /has been closed|Target closed|Target crashed|crashed|Session closed|disconnected/i.test(error.message)
  ) {
    return new PageFailure('browser_crashed', undefined, { cause: error });
  }
  throw error;
}

function pageOf(url: string, findings: Findings, startedAt: number): Page {
  const { watch, snapshot, extracted, error } = findings;
  const answer = watch?.answer ?? null;
  return {
    url,
    final_url: snapshot?.url ?? answer?.url ?? null,
    status_code: answer?.status ?? null,
    content_type: answer?.contentType ?? null,
    title: storable(snapshot?.title.trim() || null),
    ...extracted,
    ...(snapshot && Object.keys(snapshot.extracted).length > 0
      ? { extracted: storable(snapshot.extracted) }
      : {}),
    engine: 'browser',
    fetched_at: new Date(startedAt).toISOString(),
    duration_ms: Date.now() - startedAt,
    error,
  };
}
