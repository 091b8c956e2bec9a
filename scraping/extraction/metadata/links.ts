import type { Link, LinkKind } from '../../../core/jobs/page.ts';
import { parseUrl } from '../../../core/parse-url.ts';
import { cleanLine } from '../document/blanks.ts';
import { select } from '../document/dom.ts';
import { toLine } from '../markdown/one-line.ts';

const MAX_TEXT = 500;
/** More than any page for people has. */
const MAX_LINKS = 50_000;

/**
 * The links of a page: distinct URLs in document order, each with its first text. Jumps within the
 * page are omitted.
 */
export function extractLinks(document: Document, pageUrl: string): Link[] {
  const links = new Map<string, Link>();
  const here = withoutFragment(pageUrl);
  const host = hostWithoutWww(pageUrl);
  for (const element of select(document, 'a[href], area[href]')) {
    const url = element.getAttribute('href') ?? '';
    const kind = classifyLink(url, host);
    if (kind === null) continue;
    if (withoutFragment(url) === here && /#(?![/!])/.test(url)) continue;
    const text = linkText(element);
    const known = links.get(url);
    if (!known) links.set(url, { url, text, kind });
    else if (known.text === '') known.text = text;
    if (links.size >= MAX_LINKS) break;
  }
  return [...links.values()];
}

/** Null for anything but http(s): `mailto:` and `tel:` belong to contacts. */
function classifyLink(url: string, pageHost: string): LinkKind | null {
  const parsed = /^https?:/i.test(url) ? parseUrl(url) : null;
  if (!parsed) return null;
  if (FILES.test(parsed.pathname)) return 'file';
  const host = hostWithoutWww(url);
  return host === pageHost || host.endsWith(`.${pageHost}`) || pageHost.endsWith(`.${host}`)
    ? 'internal'
    : 'external';
}

/** Extensions of downloads. */
const FILES =
  /\.(pdf|docx?|xlsx?|pptx?|odt|ods|odp|rtf|csv|zip|gz|tgz|bz2|xz|7z|rar|tar|dmg|exe|msi|deb|rpm|apk|iso|epub|mobi|mp3|mp4|m4a|mov|avi|mkv|webm|wav|flac|ogg|jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?)$/i;

const hostWithoutWww = (url: string): string => parseUrl(url)?.hostname.replace(/^www\./, '') ?? '';

const withoutFragment = (url: string) => url.split('#', 1)[0] ?? '';

function linkText(element: Element): string {
  const text =
    toLine(element) ||
    cleanLine(element.getAttribute('aria-label')) ||
    cleanLine(element.getAttribute('title')) ||
    cleanLine(element.getAttribute('alt')) ||
    cleanLine(element.querySelector('img[alt]')?.getAttribute('alt') ?? '');
  return text.slice(0, MAX_TEXT);
}
