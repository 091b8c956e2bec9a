import { contactPages } from './contact-pages.ts';
import { findContacts } from './contacts.ts';
import type { Observation } from './finding.ts';

export interface SitePageInput {
  html: string;
  /** After redirects. */
  url: string;
  /** Where the business is thought to be, when the page does not say. */
  country: string | null;
  /** Whether the pages are wanted where the site says how to reach it. */
  isHome: boolean;
}

export interface SitePage {
  observations: Observation[];
  /** Best first; none where they are not wanted. */
  contactPages: string[];
}

/** A page larger than this has no contacts that a smaller part of it has not. */
export const MAX_SITE_HTML = 2_000_000;

/** What a page of a candidate's site says. Pure, and blocks while it works: see `extractor.ts`. */
export function readSitePage({ html, url, country, isHome }: SitePageInput): SitePage {
  const input = { html: html.slice(0, MAX_SITE_HTML), url, ...(country ? { country } : {}) };
  return {
    observations: findContacts(input).map((finding) => ({ ...finding, url })),
    contactPages: isHome ? contactPages(input.html, url) : [],
  };
}
