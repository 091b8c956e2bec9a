import { contactPages } from './contact-pages.ts';
import { findOwnerContacts } from './contacts.ts';
import type { Observation } from './finding.ts';

export interface SitePageInput {
  html: string;
  /** After redirects. */
  url: string;
  /** Expected country of the business, used if the page does not say. */
  country: string | null;
  /** Whether to return contact pages too. */
  isHome: boolean;
}

export interface SitePage {
  observations: Observation[];
  /** Whether the page lists other businesses; their data is not among the observations. */
  isListing: boolean;
  /** Best first; empty unless `isHome`. */
  contactPages: string[];
}

/** Characters read per page: contacts do not appear only after that. */
export const MAX_SITE_HTML = 2_000_000;

/**
 * Reads one page of a candidate's site. Pure and synchronous; `extractor.ts` runs it in a thread.
 */
export function readSitePage({ html, url, country, isHome }: SitePageInput): SitePage {
  const input = { html: html.slice(0, MAX_SITE_HTML), url, ...(country ? { country } : {}) };
  const { findings, isListing } = findOwnerContacts(input);
  return {
    observations: findings.map((finding) => ({ ...finding, url })),
    isListing,
    contactPages: isHome ? contactPages(input.html, url) : [],
  };
}
