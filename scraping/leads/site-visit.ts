import type { ErrorInfo } from '../../core/errors.ts';
import { homeOf, siteKey } from '../../core/leads/domains.ts';
import { PAGES_PER_SITE } from '../extraction/contacts/contact-pages.ts';
import type { Observation } from '../extraction/contacts/finding.ts';
import { MAX_SITE_HTML, type SitePage, type SitePageInput } from '../extraction/contacts/site-page.ts';

/**
 * Gets one page, however and whenever that is proper: who may be asked, and how often, is decided behind it.
 *
 * @throws SnoozeError where the site must be left alone for now, or the signal's reason
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
  | { kind: 'read'; home: string; observations: Observation[] }
  | { kind: 'elsewhere'; home: string }
  /** Its first page could not be had. */
  | { kind: 'failed'; error: ErrorInfo; retryable: boolean };

/** Reads one page away from the event loop. A page that takes too long, or cannot be read, says nothing. */
export type ReadSitePage = (input: SitePageInput) => Promise<SitePage>;

/**
 * Reads a candidate's site: its home page, and the pages where it says how to reach it.
 *
 * @param url any page of the site
 * @param isNamed whether a user named this very page: then it is read too
 * @param mayRead asked once it is known where the home page is: false leaves it at that page, for a site that is dealt with elsewhere
 * @param country where the business is thought to be, when its pages do not say
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
  const start = homeOf(url);
  let home = await visit(start);
  // Some sites have pages and no home.
  if (home.kind === 'failed' && url !== start) home = await visit(url);
  if (home.kind === 'failed') return home;

  if (!mayRead(home.url)) return { kind: 'elsewhere', home: home.url };

  const site = siteKey(home.url);
  const { observations, contactPages } = await readPage(toInput(home, country, true));
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
    // A menu entry may lead to another site, or to a page that was read already.
    if (siteKey(page.url) !== site || (arrived !== link && seen.has(arrived))) continue;
    seen.add(arrived);
    observations.push(...(await readPage(toInput(page, country, false))).observations);
  }
  return { kind: 'read', home: home.url, observations };
}

/** No more of it than is read: it is copied to a thread. */
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
