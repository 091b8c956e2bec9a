import { withoutEnding } from '../extraction/document/lines.ts';

/** An address of a crawl: what is asked for, and what tells it from others. */
export interface Address {
  url: string;
  /** Two addresses with one key are one page; see `addressOf` for what is left out. */
  key: string;
}

/** What campaigns and search engines add for themselves; no page looks different for it. */
const TRACKING =
  /^(utm_\w+|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|twclid|igshid|mc_[ce]id|_ga|_gl|_hs(enc|mi))$/i;
/** A visit's own number: another one for each page that is asked for. */
const SESSION =
  /^(jsessionid|phpsessid|aspsessionid\w*|asp\.net_sessionid|session_?id|cfid|cftoken|sid|zenid|oscsid)$/i;
const SESSION_VALUE = /^[\w.!-]{12,}$/;

/** Longer ones no server takes; a page may hold one of megabytes. */
const LONGEST = 16_384;

/**
 * The address that a link leads to; null where it leads to no page of the web.
 *
 * `url` is as the site wrote it, without fragment, tracking and session, with escapes of letters undone: what a server answers may
 * depend on the order of a query's fields and on a slash at the end. `key` takes the order away; pages that are the same with and
 * without a slash are known by their content.
 */
export function addressOf(link: string, base?: string): Address | null {
  if (link.length > LONGEST || !URL.canParse(link, base)) return null;
  const url = new URL(link, base);
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') return null;
  url.hash = '';
  url.username = '';
  url.password = '';
  // `example.com.` is `example.com`.
  if (url.hostname.endsWith('.')) url.hostname = withoutEnding(url.hostname, '.');
  url.pathname = withPlainLetters(url.pathname.replace(/;jsessionid=[^/;]*/gi, ''));
  const fields = url.search
    .slice(1)
    .split('&')
    .filter((field) => field !== '' && !isNoise(field));
  const query = fields.length > 0 ? `?${fields.join('&')}` : '';
  const normalized = `${url.origin}${url.pathname}${query}`;
  return { url: normalized, key: keyOfAddress(normalized) };
}

/** The parts of an `Address.url`. */
export interface AddressParts {
  origin: string;
  /** With the port, if it has one. */
  host: string;
  path: string;
  /** Without `?`. */
  query: string;
}

/**
 * Cuts an `Address.url` into its parts. Such an address is normalized, so nothing needs to be parsed again: a crawl that goes on
 * with half a million of them spends a tenth of the time.
 */
export function splitAddress(url: string): AddressParts {
  const authority = url.indexOf('//') + 2;
  const path = url.indexOf('/', authority);
  const mark = url.indexOf('?', path);
  const end = mark === -1 ? url.length : mark;
  return {
    origin: url.slice(0, path),
    host: url.slice(authority, path),
    path: url.slice(path, end),
    query: url.slice(end + 1),
  };
}

/** The `Address.key` of an `Address.url`. */
export function keyOfAddress(url: string): string {
  const mark = url.indexOf('?');
  if (mark === -1 || !url.includes('&', mark)) return url;
  const fields = url.slice(mark + 1).split('&');
  return `${url.slice(0, mark)}?${fields.sort().join('&')}`;
}

function isNoise(field: string): boolean {
  const [name = '', ...value] = field.split('=');
  return TRACKING.test(name) || (SESSION.test(name) && SESSION_VALUE.test(value.join('=')));
}

/** `%7Euser` is `~user`, and `%c3` is `%C3` (RFC 3986, 6.2.2). */
const withPlainLetters = (path: string): string =>
  path.replace(/%[0-9a-f]{2}/gi, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return /[a-z0-9._~-]/i.test(character) ? character : triplet.toUpperCase();
  });
