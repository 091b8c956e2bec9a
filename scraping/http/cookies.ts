import { Cookie, CookieJar } from 'tough-cookie';
import type { JobCookie } from '../../core/jobs/job-schemas.ts';

/** The cookies of one job, or of one call: kept apart from everybody else's, and never stored. */
export interface Cookies {
  /** The value of the header `cookie` for a request to this URL; empty for none. */
  headerFor(url: string): string;
  store(url: string, setCookies: readonly string[]): void;
}

/** A hostile site may set as many as it likes. */
const MOST_OF_ONE_ANSWER = 100;
const MOST_BYTES = 16 * 1024;

/**
 * @param given by the job, for a start
 * @param urls of the job: a cookie that names no site is for theirs
 */
export function createCookies(given: readonly JobCookie[] = [], urls: readonly string[] = []): Cookies {
  // Made when the first cookie comes, which for most pages is never.
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

/** As the browser is given it. */
function cookieOf({ name, value, domain, path, expires, secure, http_only }: JobCookie): Cookie {
  return new Cookie({
    ...{ key: name, value, path: path ?? '/', secure: secure ?? false, httpOnly: http_only ?? false },
    ...(domain ? { domain: domain.replace(/^\./, '') } : {}),
    ...(expires === undefined ? {} : { expires: new Date(expires * 1000) }),
  });
}
