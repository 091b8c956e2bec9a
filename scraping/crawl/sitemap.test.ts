import { gzipSync } from 'node:zlib';
import { readSitemap } from './sitemap.ts';

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';

test('an ordinary sitemap, with entities, gives its pages and not their images', async () => {
  const text = `${XML}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>
    https://example.com/?a=1&amp;b=2 </loc><image:image><image:loc>https://example.com/x.png</image:loc></image:image></url>
    <url><loc><![CDATA[https://example.com/c]]></loc><lastmod>2026-01-01</lastmod></url></urlset>`;
  expect(await readSitemap(Buffer.from(text))).toEqual({
    pages: ['https://example.com/?a=1&b=2', 'https://example.com/c'],
    sitemaps: [],
  });
});

test('a compressed sitemap index', async () => {
  const text = `${XML}<sitemapindex><sitemap><loc>https://example.com/a.xml.gz</loc></sitemap></sitemapindex>`;
  expect(await readSitemap(gzipSync(text))).toEqual({
    pages: [],
    sitemaps: ['https://example.com/a.xml.gz'],
  });
});

test('text sitemaps and feeds', async () => {
  const lines = '\uFEFFhttps://example.com/a\r\nhttps://example.com/b\n\nno address\n';
  expect((await readSitemap(Buffer.from(lines)))?.pages).toEqual([
    'https://example.com/a',
    'https://example.com/b',
  ]);
  const feed =
    '<rss version="2.0"><channel><item><link>https://example.com/post</link></item></channel></rss>';
  expect((await readSitemap(Buffer.from(feed)))?.pages).toEqual(['https://example.com/post']);
});

test('other files are no sitemaps', async () => {
  expect(await readSitemap(Buffer.from('<!doctype html><title>Not found</title>'))).toBeNull();
  expect(await readSitemap(Buffer.from('not found'))).toBeNull();
  expect(await readSitemap(gzipSync(Buffer.alloc(60_000_000)))).toBeNull();
  expect(await readSitemap(gzipSync('x').subarray(0, 8))).toBeNull();
});

const AT = { url: 'https://example.com/maps/sitemap.xml' };
const pagesOf = async (body: Buffer, source = AT) => (await readSitemap(body, source))?.pages;

test('attributes and prefixes of loc, and an image namespace with another prefix', async () => {
  const text = `${XML}<sm:urlset xmlns:sm="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:i="http://www.google.com/schemas/sitemap-image/1.1">
    <sm:url><sm:loc xml:lang="en">https://example.com/a</sm:loc><i:image><i:loc>https://example.com/x.png</i:loc></i:image></sm:url>
  </sm:urlset>`;
  expect(await pagesOf(Buffer.from(text))).toEqual(['https://example.com/a']);
});

test('an entry in a comment is ignored', async () => {
  const text =
    '<urlset><!-- <url><loc>https://example.com/secret</loc></url> --><url><loc>https://example.com/a</loc></url></urlset>';
  expect(await pagesOf(Buffer.from(text))).toEqual(['https://example.com/a']);
});

test('relative URLs are resolved against the file, and only http(s) URLs count', async () => {
  const text =
    '<urlset><url><loc>/a</loc></url><url><loc>b?x=1&amp;y=%20</loc></url><url><loc>javascript:x</loc></url></urlset>';
  expect(await pagesOf(Buffer.from(text))).toEqual([
    'https://example.com/a',
    'https://example.com/maps/b?x=1&y=%20',
  ]);
  expect(await readSitemap(Buffer.from(text))).toEqual({ pages: [], sitemaps: [] });
});

test('a truncated file gives the URLs before the cut, compressed or not', async () => {
  const entries = Array.from(
    { length: 5000 },
    (_, n) => `<url><loc>https://example.com/${n * 7919}</loc></url>`,
  );
  const whole = Buffer.from(`<urlset>${entries.join('')}</urlset>`);
  const packed = gzipSync(whole);
  const ofHalf = await pagesOf(packed.subarray(0, packed.length / 2));
  expect(ofHalf?.length).toBeGreaterThan(1000);
  expect(ofHalf?.[1]).toBe('https://example.com/7919');
  expect((await pagesOf(whole.subarray(0, whole.length / 2)))?.length).toBeGreaterThan(2000);
});

test.each([
  ['UTF-16 with its mark', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ['UTF-16 without', (text: string) => Buffer.from(text, 'utf16le')],
  ['UTF-16 the other way round', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  ['UTF-8', (text: string) => Buffer.from(text)],
  [
    'Latin-1 that says so',
    (text: string) => Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${text}`, 'latin1'),
  ],
  ['Latin-1 that does not', (text: string) => Buffer.from(text, 'latin1')],
])('%s is read', async (_, encode) => {
  const text = '<urlset><url><loc>https://example.com/caf\u00e9</loc></url></urlset>';
  expect(await pagesOf(encode(text))).toEqual(['https://example.com/caf\u00e9']);
});

test('a multi-byte character may span two chunks', async () => {
  const text = `<urlset>${' '.repeat(64 * 1024 - 8 - 36)}<url><loc>https://example.com/\u00e9\u20ac\u00e9\u20ac\u00e9</loc></url></urlset>`;
  expect(await pagesOf(Buffer.from(text))).toEqual(['https://example.com/\u00e9\u20ac\u00e9\u20ac\u00e9']);
});

test('an Atom feed gives its pages and not itself', async () => {
  const text = `<feed xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="/feed"/><link href="/"/>
    <entry><link rel="alternate" href="/one"/><link rel="enclosure" href="/one.mp3"/></entry></feed>`;
  expect(await pagesOf(Buffer.from(text))).toEqual(['https://example.com/', 'https://example.com/one']);
});

test('a file gives at most 50,000 URLs, of pages or sitemaps by their parent element', async () => {
  const many = `<urlset>${'<url><loc>https://example.com/a</loc></url>'.repeat(60_000)}</urlset>`;
  expect((await pagesOf(Buffer.from(many)))?.length).toBe(50_000);
  const mixed = '<sitemapindex><sitemap><loc>/b.xml</loc></sitemap><url><loc>/a</loc></url></sitemapindex>';
  expect(await readSitemap(Buffer.from(mixed), AT)).toEqual({
    pages: ['https://example.com/a'],
    sitemaps: ['https://example.com/b.xml'],
  });
});
