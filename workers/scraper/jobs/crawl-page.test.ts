import { describe, expect, test } from '@jest/globals';
import { Frontier } from '../../../scraping/crawl/frontier.ts';
import { createScope } from '../../../scraping/crawl/scope.ts';
import type { ReadPage } from '../../../scraping/fetching/page.ts';
import { contentHashOf } from './crawl-page.ts';

const SITE = 'https://example.com';
const TEXT = 'The same text on every page. '.repeat(20);

const page = (url: string, links: string[], more: Partial<ReadPage> = {}): ReadPage => ({
  ...{ url: `${SITE}${url}`, final_url: `${SITE}${url}`, status_code: 200, content_type: 'text/html' },
  ...{ title: 'Same', text: TEXT, engine: 'http', fetched_at: '', duration_ms: 0, error: null },
  links: links.map((link) => ({ url: new URL(link, SITE + url).href, text: '', kind: 'internal' })),
  ...more,
});

async function areSame(one: ReadPage, other: ReadPage): Promise<boolean> {
  const frontier = new Frontier({
    scope: createScope([SITE], { sameOrigin: true }),
    ...{ maxDepth: 9, maxKnown: 9 },
  });
  frontier.isKnownContent(await contentHashOf(one));
  return frontier.isKnownContent(await contentHashOf(other));
}

describe('pages are the same', () => {
  test.each<[string, ReadPage, ReadPage]>([
    ['with the same links at another address', page('/a', ['/x', '/y']), page('/b/c', ['/y', '/x'])],
    ['with a link to their own address', page('/a', ['/x', '/a']), page('/b', ['/x', '/b'])],
    ['if links differ in tracking alone', page('/a', ['/x?utm_source=a']), page('/b', ['/x?utm_source=b'])],
    ['a folder deeper, with relative links', page('/grow/', ['more/']), page('/grow/more/', ['more/'])],
    ['with a session in the path', page('/s-1/a', ['b', '/']), page('/s-2/a', ['b', '/'])],
  ])('%s', async (_name, one, other) => {
    expect(await areSame(one, other)).toBe(true);
  });
});

describe('pages are different', () => {
  test.each<[string, ReadPage, ReadPage]>([
    ['by their title', page('/a', []), page('/b', [], { title: 'Other' })],
    ['by their text', page('/a', ['/x']), page('/b', ['/x'], { text: `${TEXT}!` })],
    ['by a link, however long their text', page('/g/1', ['/g/2']), page('/g/2', ['/g/3'])],
    ['by a query field of a link', page('/g?n=1', ['/g?n=2']), page('/g?n=2', ['/g?n=3'])],
    ['by a route', page('/#/a', ['/#/b']), page('/#/b', ['/#/c'])],
    ['by pictures or structured data', page('/a', [], { likeness: '1' }), page('/b', [], { likeness: '2' })],
  ])('%s', async (_name, one, other) => {
    expect(await areSame(one, other)).toBe(false);
  });

  test('without anything to compare', async () => {
    const empty = page('/a', [], { text: '' });
    expect(await contentHashOf(empty)).toBeNull();
    expect(await areSame(empty, empty)).toBe(false);
  });
});
