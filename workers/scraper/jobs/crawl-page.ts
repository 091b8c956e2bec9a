import { createHash } from 'node:crypto';
import { setImmediate as nextTick } from 'node:timers/promises';
import type { JobSpec } from '../../../core/jobs/job.ts';
import { DEFAULT_FORMATS } from '../../../core/jobs/job-schemas.ts';
import type { Page } from '../../../core/jobs/page.ts';
import { normalizeUrl } from '../../../scraping/crawl/normalized-url.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';

/**
 * Adds the formats that a crawl needs of its pages: links for the frontier, text to detect
 * duplicates.
 */
export function specOfPages(spec: JobSpec): JobSpec {
  const formats = spec.map ? [] : (spec.formats ?? DEFAULT_FORMATS);
  return { ...spec, formats: [...new Set([...formats, 'links' as const, 'text' as const])] };
}

/** Removes the formats that the job did not request. */
export function asRequested(spec: JobSpec, scraped: ScrapedPage): ScrapedPage {
  const formats: readonly string[] = spec.formats ?? DEFAULT_FORMATS;
  const page: Page = { ...scraped.page };
  if (!formats.includes('links')) delete page.links;
  if (!formats.includes('text')) delete page.text;
  return { ...scraped, page };
}

/**
 * Pages have up to 50,000 links, sitemaps 200,000. Parsing and scoping this many takes about 20 ms.
 */
export const LINKS_AT_ONCE = 1000;

/** With less text than this, links count too: many list pages consist of links only. */
const ENOUGH_TEXT = 200;

/** Hash of a page's content, 32 hexadecimal digits; null for a page without text and links. */
export async function contentHashOf({ title, text = '', links = [] }: Page): Promise<string | null> {
  const keys: string[] = [];
  for (let start = 0; text.length < ENOUGH_TEXT && start < links.length; start += LINKS_AT_ONCE) {
    if (start > 0) await nextTick();
    const some = links.slice(start, start + LINKS_AT_ONCE);
    keys.push(...some.flatMap(({ url }) => normalizeUrl(url)?.key ?? []));
  }
  if (text === '' && keys.length === 0) return null;
  return createHash('sha256')
    .update(JSON.stringify([title, text, keys.sort()]))
    .digest('hex')
    .slice(0, 32);
}
