import type { Link } from '../../core/page.ts';
import { collapsed, select } from './dom.ts';

const MAX_TEXT = 500;

/** Where a page leads, each address once, in order, with the first text that names it. Jumps within the page are left out. */
export function linksOf(document: Document, pageUrl: string): Link[] {
  const links = new Map<string, Link>();
  const here = withoutFragment(pageUrl);
  for (const element of select(document, 'a[href], area[href]')) {
    const url = element.getAttribute('href') ?? '';
    if (!/^https?:/i.test(url) || !URL.canParse(url)) continue;
    if (withoutFragment(url) === here && /#(?![/!])/.test(url)) continue;
    const text = linkText(element);
    const known = links.get(url);
    if (!known) links.set(url, { url, text });
    else if (known.text === '') known.text = text;
  }
  return [...links.values()];
}

const withoutFragment = (url: string) => url.replace(/#.*$/, '');

function linkText(element: Element): string {
  const text =
    collapsed(element.textContent) ||
    collapsed(element.getAttribute('aria-label')) ||
    collapsed(element.getAttribute('title')) ||
    collapsed(element.getAttribute('alt')) ||
    collapsed(element.querySelector('img[alt]')?.getAttribute('alt') ?? '');
  return text.slice(0, MAX_TEXT);
}
