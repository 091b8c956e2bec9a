import { parseUrl } from '../../../core/parse-url.ts';
/**
 * The target of a result link. Search engines link to themselves first, to count clicks: Google's
 * `/url?q=`, DuckDuckGo's `/l/?uddg=`, Bing's `/ck/a?u=a1<base64>`. Recognized by path and
 * parameter, not by host, because the base URL of each engine is configurable.
 *
 * @param base URL of the result page
 * @returns null unless the target is an http(s) URL
 */
export function unwrapRedirect(href: string, base: string): string | null {
  for (let current = href, hops = 0; hops < 4; hops += 1) {
    const url = parseUrl(current, base);
    if (!url) return null;
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
    const target = redirectTarget(url);
    if (target === null) return url.href;
    current = target;
  }
  return null;
}

function redirectTarget(url: URL): string | null {
  const of = (...names: string[]) => names.map((name) => url.searchParams.get(name)).find(isWeb) ?? null;
  switch (url.pathname.replace(/\/+$/, '')) {
    case '/url':
      return of('q', 'url');
    case '/imgres':
      return of('imgrefurl');
    case '/l':
      return of('uddg');
    case '/ck/a': {
      const coded = url.searchParams.get('u') ?? '';
      if (!coded.startsWith('a1')) return null;
      const decoded = Buffer.from(coded.slice(2), 'base64url').toString();
      return isWeb(decoded) ? decoded : null;
    }
    default:
      return null;
  }
}

const isWeb = (text: string | null): text is string => text !== null && /^https?:\/\//i.test(text);
