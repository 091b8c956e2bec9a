import { Parser } from 'htmlparser2';

/** The link is in the head, so only the beginning of a page is parsed. */
const MOST_CHARACTERS = 256 * 1024;
const MOST_LINKS = 10;

/** The URLs of `<link rel="sitemap">` elements, as written. */
export function sitemapLinksIn(html: string): string[] {
  const found: string[] = [];
  let link: { href: string; rel: string } | null = null;
  const parser = new Parser({
    onopentagname(name) {
      link = name === 'link' ? { href: '', rel: '' } : null;
      if (name === 'body' || found.length >= MOST_LINKS) parser.pause();
    },
    onattribute(name, value) {
      if (!link || (name !== 'href' && name !== 'rel')) return;
      link[name] = value;
      const isSitemap = /(^|\s)sitemap(\s|$)/i.test(link.rel.slice(0, 200));
      if (!isSitemap || link.href === '') return;
      found.push(link.href);
      link = null;
    },
  });
  parser.write(html.slice(0, MOST_CHARACTERS));
  return found;
}
