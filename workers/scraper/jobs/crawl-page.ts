import { createHash } from 'node:crypto';
import { setImmediate as nextTick } from 'node:timers/promises';
import type { JobSpec } from '../../../core/jobs/job.ts';
import { DEFAULT_FORMATS } from '../../../core/jobs/job-schemas.ts';
import { normalizeUrl } from '../../../scraping/crawl/normalized-url.ts';
import type { ReadPage, ScrapedPage, ScrapeSpec } from '../../../scraping/fetching/page.ts';

/** Adds what a crawl needs of its pages: links for the frontier, the rest to detect duplicates. */
export function specOfPages(spec: JobSpec): ScrapeSpec {
  const formats = spec.map ? [] : (spec.formats ?? DEFAULT_FORMATS);
  return {
    ...spec,
    formats: [...new Set([...formats, 'links' as const, 'text' as const])],
    likeness: true,
  };
}

/** Removes what the job did not request. */
export function asRequested(spec: JobSpec, scraped: ScrapedPage): ScrapedPage {
  const formats: readonly string[] = spec.formats ?? DEFAULT_FORMATS;
  const page: ReadPage = { ...scraped.page };
  delete page.likeness;
  if (!formats.includes('links')) delete page.links;
  if (!formats.includes('text')) delete page.text;
  return { ...scraped, page };
}

/**
 * Pages have up to 50,000 links, sitemaps 200,000. Parsing and scoping this many takes about 20 ms.
 */
export const LINKS_AT_ONCE = 1000;

/**
 * Two hashes of a page's content, 64 hexadecimal digits; null for a page without text and links.
 *
 * Pages are the same if title, main text, pictures, structured data and the links are. The first
 * hash has the links' addresses. The second has those of the page's own folder relative to it: a
 * page that a mistyped link shows a folder deeper, or with a session id in its path, is the same.
 */
export async function contentHashOf(page: ReadPage): Promise<string | null> {
  const { title, text = '', links = [], likeness } = page;
  const own = normalizeUrl(page.final_url ?? page.url);
  const folder = own?.url.replace(/[?#].*$/s, '').replace(/[^/]*$/, '') ?? '';
  const absolute: string[] = [];
  const relative: string[] = [];
  for (let start = 0; start < links.length; start += LINKS_AT_ONCE) {
    if (start > 0) await nextTick();
    for (const { url } of links.slice(start, start + LINKS_AT_ONCE)) {
      const key = normalizeUrl(url)?.key;
      if (key === undefined || key === own?.key) continue;
      absolute.push(key);
      relative.push(folder !== '' && key.startsWith(folder) ? `./${key.slice(folder.length)}` : key);
    }
  }
  if (text === '' && links.length === 0) return null;
  const hashOf = (keys: string[]) =>
    createHash('sha256')
      .update(JSON.stringify([title, text, likeness, keys.sort()]))
      .digest('hex')
      .slice(0, 32);
  return hashOf(absolute) + hashOf(relative);
}
