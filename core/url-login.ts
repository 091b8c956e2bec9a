import { parseUrl } from './parse-url.ts';

/** A user name and password that stood in a URL, as the header that replaces them. */
export interface UrlLogin {
  /** The only origin that may get it. */
  origin: string;
  /** The URL it stood in, without it. */
  url: string;
  /** Value of the header `Authorization`. */
  authorization: string;
}

/** Takes user name and password out of a URL. `login` is null, and `url` the text, if it has none. */
export function splitLogin(text: string): { url: string; login: UrlLogin | null } {
  const parsed = text.includes('@') ? parseUrl(text) : null;
  if (!parsed || (parsed.username === '' && parsed.password === '')) return { url: text, login: null };
  const authorization = basicAuthorization(parsed);
  parsed.username = '';
  parsed.password = '';
  const url = parsed.href;
  return { url, login: { origin: parsed.origin, url, authorization } };
}

export const withoutLogin = (text: string): string => splitLogin(text).url;

/**
 * The header for a request, or null: of the logins for the request's very origin, the one that the
 * page's own URL had, else the first.
 */
export function authorizationFor(
  logins: readonly UrlLogin[] | undefined,
  requestUrl: string,
  pageUrl: string,
): string | null {
  if (!logins || logins.length === 0) return null;
  const origin = parseUrl(requestUrl)?.origin;
  const ofOrigin = logins.filter((login) => login.origin === origin);
  const chosen = ofOrigin.find(({ url }) => url === pageUrl) ?? ofOrigin[0];
  return chosen?.authorization ?? null;
}

/**
 * `Authorization: Basic` for a URL's user name and password, percent-decoded to bytes as browsers
 * do: what is no escape stays as it is.
 */
export function basicAuthorization({ username, password }: { username: string; password: string }): string {
  const bytes = `${username}:${password}`.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return `Basic ${Buffer.from(bytes, 'latin1').toString('base64')}`;
}
