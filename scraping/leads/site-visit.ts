import type { ErrorInfo } from '../../core/errors.ts';
import { homePageOf, siteKey } from '../../core/leads/domains.ts';
import { PAGES_PER_SITE } from '../extraction/contacts/contact-pages.ts';
import type { Observation } from '../extraction/contacts/finding.ts';
import { MAX_SITE_HTML, type SitePage, type SitePageInput } from '../extraction/contacts/site-page.ts';

/**
 * Fetches one page. The implementation decides how, and enforces robots.txt and politeness.
 *
 * @throws SnoozeError if the site must not be fetched for now; the signal's reason
 */
export type Visit = (url: string) => Promise<VisitedPage>;

export type VisitedPage =
  | {
      kind: 'page';
      /** After redirects. */
      url: string;
      html: string;
      status: number;
    }
  | { kind: 'failed'; error: ErrorInfo; retryable: boolean };

export type VisitedSite =
  | {
      kind: 'read';
      home: string;
      observations: Observation[];
      /** Whether one of its pages lists other businesses, whose data is left out. */
      isListing: boolean;
    }
  | { kind: 'elsewhere'; home: string }
  /** Its first page could not be fetched. */
  | { kind: 'failed'; error: ErrorInfo; retryable: boolean };

/**
 * Reads one page off the event loop. A page that takes too long or cannot be read gives no
 * observations.
 */
export type ReadSitePage = (input: SitePageInput) => Promise<SitePage>;

/**
 * Reads a candidate's site: its home page and contact pages.
 *
 * @param url any page of the site
 * @param isNamed whether the user named this page, which is then read too
 * @param mayRead called with the URL of the home page after redirects; false ends the visit there
 *   (`elsewhere`)
 * @param country expected country, used if the pages do not say
 */
export async function visitSite(
  { url, isNamed }: { url: string; isNamed: boolean },
  {
    visit,
    readPage,
    mayRead,
    country,
  }: {
    visit: Visit;
    readPage: ReadSitePage;
    mayRead: (home: string) => boolean;
    country: string | null;
  },
): Promise<VisitedSite> {
  const start = homePageOf(url);
  const now = () => new Date().toISOString();
  let home = await visit(start);
  // Some sites have pages but no home page.
  if (home.kind === 'failed' && url !== start) home = await visit(url);
  if (home.kind === 'failed') return home;

  if (!mayRead(home.url)) return { kind: 'elsewhere', home: home.url };

  const site = siteKey(home.url);
  const first = await readPage(toInput(home, country, true));
  const { contactPages } = first;
  const observations = first.observations.map((one) => ({ ...one, found_at: now() }));
  let { isListing } = first;
  const seen = new Set([start, home.url].map(withoutHash));
  const named = isNamed && siteKey(url) === site ? [url] : [];
  const wanted = [...named, ...contactPages].map(withoutHash);
  let pages = 1;
  for (const link of wanted) {
    if (pages >= PAGES_PER_SITE) break;
    if (seen.has(link)) continue;
    seen.add(link);
    pages += 1;
    const page = await visit(link);
    if (page.kind === 'failed') continue;
    const arrived = withoutHash(page.url);
    // A link may redirect to another site, or to a page that was already read.
    if (siteKey(page.url) !== site || (arrived !== link && seen.has(arrived))) continue;
    seen.add(arrived);
    const read = await readPage(toInput(page, country, false));
    observations.push(...read.observations.map((one) => ({ ...one, found_at: now() })));
    isListing ||= read.isListing;
  }
  return { kind: 'read', home: home.url, observations, isListing };
}

/** Truncated before it is copied to a thread. */
const toInput = (
  { html, url }: VisitedPage & { kind: 'page' },
  country: string | null,
  isHome: boolean,
): SitePageInput => ({ html: html.slice(0, MAX_SITE_HTML), url, country, isHome });

const withoutHash = (url: string): string => {
  const parsed = new URL(url);
  parsed.hash = '';
  return parsed.href;
};
