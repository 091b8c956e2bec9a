import { parseUrl } from '../../core/parse-url.ts';
/** Whether a URL has the page's origin, or its host over https on the default port. */
export function isOwnOrigin(url: string, pageUrl: string): boolean {
  const [asked, page] = [parseUrl(url), new URL(pageUrl)];
  if (!asked) return false;
  if (asked.origin === page.origin) return true;
  return (
    asked.protocol === 'https:' && asked.hostname === page.hostname && asked.port === '' && page.port === ''
  );
}
