import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobSpec } from '../../../core/jobs/job.ts';
import { DEFAULT_FORMATS } from '../../../core/jobs/job-schemas.ts';
import type { Page } from '../../../core/jobs/page.ts';
import { normalizeUrl } from '../../../scraping/crawl/normalized-url.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';

/** What a crawl asks of its pages besides what its user wants: links are its frontier, and text tells a page from its duplicates. */
export function specOfPages(spec: JobSpec): JobSpec {
  const formats = spec.map ? [] : (spec.formats ?? DEFAULT_FORMATS);
  return { ...spec, formats: [...new Set([...formats, 'links' as const, 'text' as const])] };
}

/** The page with no more than its user asked for. */
export function asRequested(spec: JobSpec, scraped: ScrapedPage): ScrapedPage {
  const formats: readonly string[] = spec.formats ?? DEFAULT_FORMATS;
  const page: Page = { ...scraped.page };
  if (!formats.includes('links')) delete page.links;
  if (!formats.includes('text')) delete page.text;
  return { ...scraped, page };
}

/** Pages have up to 50,000 links, sitemaps 200,000. To parse and judge this many takes some 20 ms. */
export const LINKS_AT_ONCE = 1000;

/** A page with less text is told from others by its links, too: many a list is nothing but links. */
const ENOUGH_TEXT = 200;

/** Hexadecimal; null for a page that has nothing to be known by. */
export async function contentHashOf({ title, text = '', links = [] }: Page): Promise<string | null> {
  const keys: string[] = [];
  for (let start = 0; text.length < ENOUGH_TEXT && start < links.length; start += LINKS_AT_ONCE) {
    if (start > 0) await nextTurn();
    const some = links.slice(start, start + LINKS_AT_ONCE);
    keys.push(...some.flatMap(({ url }) => normalizeUrl(url)?.key ?? []));
  }
  if (text === '' && keys.length === 0) return null;
  return createHash('sha256')
    .update(JSON.stringify([title, text, keys.sort()]))
    .digest('hex')
    .slice(0, 32);
}
