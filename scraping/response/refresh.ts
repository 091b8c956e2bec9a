import { parseUrl } from '../../core/parse-url.ts';
import { type HtmlSignals, htmlSignals } from './html-signals.ts';
import { parseRefresh, SOON_SECONDS } from './refresh-value.ts';

/** More in a row is a loop, as for redirects. */
export const MAX_REFRESHES = 20;

/** The signals that determine a page's refresh target. */
type RefreshMarkup = Pick<HtmlSignals, 'refreshesTo' | 'base'>;

/** Null for a page without a meta refresh; most pages need no parsing. */
export const refreshMarkup = (html: string): RefreshMarkup | null =>
  MAY_REFRESH.test(html) ? htmlSignals(html) : null;

const MAY_REFRESH = /http-equiv\s{0,10}=\s{0,10}["']?\s{0,10}refresh/i;

/**
 * The URL that a page refreshes to soon, by its header, else by its markup; null if there is none,
 * if it is the page itself, or not http(s).
 */
export function refreshTarget(page: {
  url: string;
  header: string | null | undefined;
  markup: RefreshMarkup | null;
}): string | null {
  if (!page.header && !page.markup?.refreshesTo) return null;
  const header = page.header ? parseRefresh(page.header) : null;
  const soon = header && header.seconds <= SOON_SECONDS ? header.url : null;
  const address = header ? soon : page.markup?.refreshesTo;
  if (address == null || !/^https?:/.test(page.url)) return null;
  const base = page.markup?.base ? parseUrl(page.markup.base, page.url) : null;
  const target = parseUrl(address, base ?? page.url);
  if (!target) return null;
  if (target.protocol !== 'http:' && target.protocol !== 'https:') return null;
  return withoutFragment(target.href) === withoutFragment(page.url) ? null : target.href;
}

const withoutFragment = (url: string) => new URL(url).href.replace(/#.*$/s, '');
