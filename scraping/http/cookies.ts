import { CookieJar } from 'tough-cookie';

/** The cookies of one job, or of one call: kept apart from everybody else's, and never stored. */
export interface Cookies {
  /** The value of the header `cookie` for a request to this URL; empty for none. */
  headerFor(url: string): string;
  store(url: string, setCookies: readonly string[]): void;
}

/** A hostile site may set as many as it likes. */
const MOST_OF_ONE_ANSWER = 100;
const MOST_BYTES = 16 * 1024;

export function createCookies(): Cookies {
  // Made when the first cookie comes, which for most pages is never.
  let jar: CookieJar | undefined;
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
