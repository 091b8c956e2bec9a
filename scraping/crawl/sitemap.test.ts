import { gzipSync } from 'node:zlib';
import { readSitemap } from './sitemap.ts';

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';

test('an ordinary sitemap, with entities, and without the pictures of its pages', async () => {
  const text = `${XML}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>
    https://example.com/?a=1&amp;b=2 </loc><image:image><image:loc>https://example.com/x.png</image:loc></image:image></url>
    <url><loc><![CDATA[https://example.com/c]]></loc><lastmod>2026-01-01</lastmod></url></urlset>`;
  expect(await readSitemap(Buffer.from(text))).toEqual({
    pages: ['https://example.com/?a=1&b=2', 'https://example.com/c'],
    sitemaps: [],
  });
});

test('an index, compressed', async () => {
  const text = `${XML}<sitemapindex><sitemap><loc>https://example.com/a.xml.gz</loc></sitemap></sitemapindex>`;
  expect(await readSitemap(gzipSync(text))).toEqual({
    pages: [],
    sitemaps: ['https://example.com/a.xml.gz'],
  });
});

test('lines, and feeds', async () => {
  const lines = '\uFEFFhttps://example.com/a\r\nhttps://example.com/b\n\nno address\n';
  expect((await readSitemap(Buffer.from(lines)))?.pages).toEqual([
    'https://example.com/a',
    'https://example.com/b',
  ]);
  const feed =
    '<rss version="2.0"><channel><item><link>https://example.com/post</link></item></channel></rss>';
  expect((await readSitemap(Buffer.from(feed)))?.pages).toEqual(['https://example.com/post']);
});

test('what is no sitemap is none', async () => {
  expect(await readSitemap(Buffer.from('<!doctype html><title>Not found</title>'))).toBeNull();
  expect(await readSitemap(Buffer.from('not found'))).toBeNull();
  expect(await readSitemap(gzipSync(Buffer.alloc(60_000_000)))).toBeNull();
  expect(await readSitemap(gzipSync('x').subarray(0, 8))).toBeNull();
});
