import { Cookie, CookieJar } from 'tough-cookie';
import type { JobCookie } from '../../core/jobs/job-schemas.ts';

/** The cookies of one job or one call: not shared and never persisted. */
export interface Cookies {
  /** The value of the header `cookie` for a request to this URL; empty for none. */
  headerFor(url: string): string;
  store(url: string, setCookies: readonly string[]): void;
}

/** Limits for hostile sites. */
const MOST_OF_ONE_ANSWER = 100;
const MOST_BYTES = 16 * 1024;

/**
 * @param given the job's initial cookies
 * @param urls of the job: a cookie without a domain is set for their hosts
 */
export function createCookies(given: readonly JobCookie[] = [], urls: readonly string[] = []): Cookies {
  // Created with the first cookie; most pages set none.
  let jar: CookieJar | undefined;
  for (const cookie of given) {
    for (const url of sitesOf(cookie, urls)) {
      jar ??= new CookieJar(undefined, { looseMode: true });
      jar.setCookieSync(cookieOf(cookie), url, { ignoreError: true });
    }
  }
  return {
    headerFor: (url) => {
      const cookies = jar?.getCookieStringSync(url) ?? '';
      return cookies.length > MOST_BYTES ? '' : cookies;
    },
    store: (url, setCookies) => {
      for (const cookie of setCookies.slice(0, MOST_OF_ONE_ANSWER)) {
        jar ??= new CookieJar(undefined, { looseMode: true });
        jar.setCookieSync(cookie, url, { ignoreError: true });
      }
    },
  };
}

function sitesOf({ url, domain }: JobCookie, urls: readonly string[]): Iterable<string> {
  if (domain) return [`https://${domain.replace(/^\./, '')}/`];
  return new Map((url ? [url] : urls).map((site) => [new URL(site).hostname, site])).values();
}

/** The same attributes as in the browser's context. */
function cookieOf({ name, value, domain, path, expires, secure, http_only }: JobCookie): Cookie {
  return new Cookie({
    ...{ key: name, value, path: path ?? '/', secure: secure ?? false, httpOnly: http_only ?? false },
    ...(domain ? { domain: domain.replace(/^\./, '') } : {}),
    ...(expires === undefined ? {} : { expires: new Date(expires * 1000) }),
  });
}
