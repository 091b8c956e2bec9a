import { parseUrl } from '../../../core/parse-url.ts';
import { withoutLogin } from '../../../core/url-login.ts';

/**
 * Without user name and password; null if the value is no URL. `javascript:` and similar schemes
 * stay as they are: they have no base.
 */
export function absoluteUrl(value: string, base: string): string | null {
  const url = parseUrl(value, base);
  return url && withoutLogin(url.href);
}
