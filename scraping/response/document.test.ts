import { feedAsHtml } from '../extraction/sources/feed.ts';
import { documentOf, isReadable } from './document.ts';

const head = (contentType: string | null, headers: Record<string, string> = {}) => ({
  url: 'https://a.example/x',
  status: 200,
  headers,
  contentType,
});
const document = (contentType: string | null, body: string | Buffer) =>
  documentOf({ ...head(contentType), body: Buffer.from(body as string) });

describe('worth downloading', () => {
  it.each([
    'text/html',
    'text/html; charset=utf-8',
    'application/xhtml+xml',
    'text/plain',
    'text/csv',
    'application/json',
    'application/ld+json',
    'application/rss+xml',
    'image/svg+xml',
    'image/png',
    'application/pdf',
    'application/zip',
    'application/octet-stream',
    'application/vnd.ms-excel',
    'TEXT/HTML',
    null,
  ])('is %s', (type) => {
    expect(isReadable(head(type))).toBe(true);
  });

  it.each([
    'video/mp4',
    'application/gzip',
    'application/x-7z-compressed',
    'application/vnd.android.package-archive',
    'font/woff2',
    'application/wasm',
  ])('is not %s', (type) => {
    expect(isReadable(head(type))).toBe(false);
  });
});

describe('a document', () => {
  it.each([
    ['application/xhtml+xml', '<html xmlns="http://www.w3.org/1999/xhtml"><p>x</p></html>', 'html'],
    ['application/xml', '<?xml version="1.0"?>\n<!-- a --><html><p>x</p></html>', 'html'],
    [
      'text/xml',
      '<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x"><html></html>',
      'html',
    ],
    ['application/xml', '<locks/>', 'text'],
    ['application/atom+xml', '<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title></feed>', 'feed'],
    ['text/plain', '<html>', 'text'],
    [null, '\n <!DOCTYPE html><p>x', 'html'],
    [null, '<?xml version="1.0"?><rss><channel></channel></rss>', 'feed'],
    [null, 'just words', 'text'],
  ])('of type %s: %s is %s', (type, body, kind) => {
    expect(document(type, body)?.kind).toBe(kind);
  });

  it.each([
    ['https://a.example/llms.txt', 'text/plain', 'markdown'],
    ['https://a.example/docs/llms-full.txt', 'text/plain', 'markdown'],
    ['https://a.example/README.md', 'text/plain; charset=utf-8', 'markdown'],
    ['https://a.example/README.md', 'application/octet-stream', 'markdown'],
    ['https://a.example/notes.txt', 'text/plain', 'text'],
    ['https://a.example/a?x=/llms.txt', 'text/plain', 'text'],
    ['https://a.example/README.md', 'text/html', 'html'],
  ])('at %s of type %s is %s', (url, type, sourceKind) => {
    const body = Buffer.from('# Locks\n');
    expect(documentOf({ ...head(type), url, body })).toMatchObject({ sourceKind });
  });

  it.each([
    ['text/csv', 'https://a.example/x', undefined],
    ['application/csv', 'https://a.example/x', undefined],
    ['text/tab-separated-values', 'https://a.example/x', '\t'],
    ['text/plain', 'https://a.example/x.csv', undefined],
    ['application/vnd.ms-excel', 'https://a.example/x.csv', undefined],
    ['application/octet-stream', 'https://a.example/x.tsv', '\t'],
  ])('of type %s at %s is a table', (type, url, delimiter) => {
    const body = Buffer.from('a\tb\n1\t2\n');
    expect(documentOf({ ...head(type), url, body })).toMatchObject({
      file: { kind: 'delimited', delimiter },
    });
  });

  it('that claims to be a PDF and is none is read as one, so that it says what is wrong', () => {
    expect(document('application/pdf', 'Not found')).toMatchObject({ file: { kind: 'pdf' } });
    expect(document('application/x-anything', 'Not found')).toBeNull();
  });

  it('without a type is rejected if its bytes are not text', () => {
    expect(document(null, Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2]))).toBeNull();
  });

  it('that is text cannot inject markup', () => {
    expect(document('text/plain', '</pre><script>x</script>')).toMatchObject({
      html: expect.stringContaining('&lt;/pre&gt;&lt;script&gt;'),
    });
    expect(document('application/json', '{"a":"</code>"}')).toMatchObject({
      html: expect.stringContaining('&lt;/code&gt;'),
    });
  });

  it('of invalid JSON stays as it is', () => {
    expect(document('application/json', '{"a":')).toMatchObject({ source: '{"a":', kind: 'text' });
  });
});

describe('a feed', () => {
  it('in Atom has its links in attributes', () => {
    const html =
      feedAsHtml(`<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Letters &amp; notes</title>
      <subtitle>From the &lt;b&gt;lock&lt;/b&gt;</subtitle><link href="https://a.example/"/>
      <entry><title>One</title><link rel="enclosure" href="/one.mp3"/><link rel="alternate" href="/one?a=1&amp;b=2"/>
      <updated>2024-05-03</updated><summary type="html">&lt;p&gt;First.&lt;/p&gt;</summary></entry>
      <entry><title>Two</title><link href="/two"/><content type="xhtml"><div><p>Second.</p></div></content></entry></feed>`);
    expect(html).toContain('<title>Letters & notes</title>');
    expect(html).toContain('content="From the lock"');
    expect(html).toContain(
      '<h2><a href="/one?a=1&amp;b=2">One</a></h2><p><time>2024-05-03</time></p><div><p>First.</p></div>',
    );
    expect(html).toContain('<h2><a href="/two">Two</a></h2><div><div><p>Second.</p></div></div>');
  });

  it('is not any XML', () => {
    expect(feedAsHtml('<locks><item>1</item></locks>')).toBeNull();
  });

  it.each([
    '<rss>',
    '<rss><title>',
    `<rss>${'<item>'.repeat(100_000)}`,
    `<rss>${'<item><link '.repeat(50_000)}`,
  ])('that is broken is read as far as it goes: %#', (xml) => {
    expect(feedAsHtml(xml)).toContain('<main>');
  });
});
