import { feedAsHtml, isFeed, isJsonFeed, jsonFeedAsHtml } from './feed.ts';

const atom = (entry: string, attributes = '') =>
  feedAsHtml(
    `<feed xmlns="http://www.w3.org/2005/Atom" ${attributes}><title>T</title>${entry}</feed>`,
    URL_OF_FEED,
  );
const rss = (item: string, channel = '') =>
  feedAsHtml(
    `<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>T</title>${channel}<item>${item}</item></channel></rss>`,
    URL_OF_FEED,
  );
const URL_OF_FEED = 'https://a.example/feeds/all';

describe('an entry', () => {
  it('prefers its full content to its summary', () => {
    expect(
      rss('<description>Teaser</description><content:encoded><![CDATA[<p>All of it</p>]]></content:encoded>'),
    ).toContain('<div><p>All of it</p></div>');
    expect(
      atom('<entry><summary>Teaser</summary><content type="html">&lt;p&gt;All&lt;/p&gt;</content></entry>'),
    ).toContain('<div><p>All</p></div>');
    expect(
      feedAsHtml(
        '<rss xmlns:c="http://purl.org/rss/1.0/modules/content/"><channel><item><description>Teaser</description><c:encoded>All</c:encoded></item></channel></rss>',
      ),
    ).toContain('<div>All</div>');
  });

  it('links to its page, not to its editor, source or enclosure', () => {
    const links =
      '<link rel="edit" href="/edit"/><link rel="self" href="/self"/><link rel="enclosure" href="/a.mp3"/>';
    expect(
      atom(
        `<entry>${links}<link rel="related" href="/related"/><link rel="alternate" href="/page"/></entry>`,
      ),
    ).toContain('<a href="https://a.example/page">');
    expect(atom(`<entry>${links}<link href="/page"/></entry>`)).toContain(
      '<a href="https://a.example/page">',
    );
    expect(atom(`<entry><title>N</title>${links}</entry>`)).toContain('<h2>N</h2>');
    expect(rss('<atom:link rel="self" href="/self"/><link>/page</link>')).toContain('<a href="/page">');
    expect(
      rss(
        '<source url="https://b.example/"><link>/other</link><title>Other</title></source><link>/page</link>',
      ),
    ).toContain('<a href="/page">Untitled</a>');
  });

  it('links to its guid if it has no link, unless that is no URL', () => {
    expect(rss('<guid>https://a.example/1</guid>')).toContain('<a href="https://a.example/1">');
    expect(rss('<guid isPermaLink="true">https://a.example/1</guid>')).toContain(
      '<a href="https://a.example/1">',
    );
    expect(rss('<guid isPermaLink="false">https://a.example/1</guid>')).not.toContain('<a ');
    expect(rss('<guid>tag:1</guid>')).not.toContain('<a ');
    expect(rss('<guid>https://a.example/1</guid><link>/2</link>')).toContain('<a href="/2">');
  });

  it('resolves URLs against xml:base', () => {
    const html = atom(
      '<entry xml:base="2024/"><link href="one"/><content type="html">&lt;a href="two"&gt;&lt;img src=\'/three\'&gt;</content></entry>',
      'xml:base="https://b.example/blog/"',
    );
    expect(html).toContain('<a href="https://b.example/blog/2024/one">');
    expect(html).toContain('<a href="https://b.example/blog/2024/two"><img src=\'https://b.example/three\'>');
    expect(atom('<entry xml:base="/deep/"><link href="one"/></entry>')).toContain(
      'https://a.example/deep/one',
    );
  });

  it('may have content as text, HTML or XHTML', () => {
    expect(atom('<entry><title type="text">a &lt;b&gt; &amp;amp; c</title></entry>')).toContain(
      'a &lt;b> &amp;amp; c',
    );
    expect(
      atom(
        '<entry><content type="xhtml"><x:div xmlns:x="http://www.w3.org/1999/xhtml"><x:p class="a">b &lt; c</x:p></x:div></content></entry>',
      ),
    ).toContain('<div><div><p class="a">b &lt; c</p></div></div>');
    expect(rss('<title>Fish &amp;amp; chips&nbsp;&#8212; &eacute;</title>')).toContain(
      'Fish &amp; chips&nbsp;— &eacute;',
    );
    expect(rss('<title><![CDATA[A & B]]></title>')).toContain('<h2>A & B</h2>');
  });

  it('has a date from any of the date elements', () => {
    expect(rss('<dc:date>2024-05-03</dc:date>')).toContain('<time>2024-05-03</time>');
    expect(atom('<entry><updated>2024-05-04</updated><published>2024-05-03</published></entry>')).toContain(
      '<time>2024-05-03</time>',
    );
  });
});

describe('a feed', () => {
  it('of RSS 1.0 has its items beside its channel', () => {
    const html =
      feedAsHtml(`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
      <channel rdf:about="x"><title>News</title><description>Of locks</description></channel>
      <image><title>Logo</title></image><item><title>One</title><link>/1</link><description>First</description></item></rdf:RDF>`);
    expect(html).toContain('<title>News</title><meta name="description" content="Of locks">');
    expect(html).toContain('<h2><a href="/1">One</a></h2><div>First</div>');
  });

  it('may use other namespace prefixes', () => {
    const xml =
      '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>T</a:title><a:entry><a:title>One</a:title><a:link href="https://b.example/1"/></a:entry></a:feed>';
    expect(isFeed(xml)).toBe(true);
    expect(feedAsHtml(xml)).toContain('<a href="https://b.example/1">One</a>');
  });

  it('has its own title, not that of its image or first entry', () => {
    expect(
      feedAsHtml(
        '<rss><channel><image><title>Logo</title></image><item><title>One</title></item><title>News</title></channel></rss>',
      ),
    ).toContain('<title>News</title>');
  });

  it.each([
    '<rss version="2.0">',
    '\n<?xml version="1.0"?>\n<?xml-stylesheet href="x"?><!-- a - b --><rss>',
    '<!DOCTYPE rss [<!ENTITY nbsp "&#160;">]><rss>',
    '<rdf:RDF xmlns="x">',
    '<feed>',
  ])('begins with %s', (xml) => {
    expect(isFeed(xml)).toBe(true);
  });

  it.each(['<html><body><rss>', '<!DOCTYPE html><html>', '<feeds>', '<a:feed>', 'rss', '{"rss":1}'])(
    'does not begin with %s',
    (xml) => {
      expect(isFeed(xml)).toBe(false);
    },
  );

  it.each([
    `<rss><channel>${'<item>'.repeat(100_000)}`,
    `<rss><channel><item><description>${'<p>'.repeat(100_000)}`,
    `<rss><channel><item><title>${'<![CDATA['.repeat(100_000)}`,
    `<rss><channel>${'<item><title>x</title></item>'.repeat(5000)}`,
    `<rss>${'</channel>'.repeat(100_000)}`,
    `<rss ${'xmlns:a="x" '.repeat(50_000)}>`,
    `<rss><channel><item><description>${'&lt;a href="'.repeat(50_000)}`,
  ])('that is malformed is read as far as possible: %#', (xml) => {
    expect(feedAsHtml(xml)).toContain('<main>');
  });

  it('has a bounded number of entries', () => {
    const html = feedAsHtml(`<rss><channel>${'<item><title>x</title></item>'.repeat(5000)}</channel></rss>`);
    expect(html?.match(/<h2>/g)).toHaveLength(2000);
  });

  it('in JSON is read too', () => {
    const json = JSON.stringify({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'News <1>',
      items: [
        {
          id: '1',
          url: 'https://a.example/1',
          title: 'One',
          content_html: '<p>First</p>',
          summary: 'Teaser',
        },
        { id: '2', external_url: 'https://b.example/2', content_text: 'a < b', date_published: '2024-05-03' },
        null,
      ],
    });
    expect(isJsonFeed(json)).toBe(true);
    expect(isJsonFeed('{"version":"1"}')).toBe(false);
    const html = jsonFeedAsHtml(json);
    expect(html).toContain('<title>News &lt;1&gt;</title>');
    expect(html).toContain('<h2><a href="https://a.example/1">One</a></h2><div><p>First</p></div>');
    expect(html).toContain(
      '<a href="https://b.example/2">Untitled</a></h2><p><time>2024-05-03</time></p><div>a &lt; b</div>',
    );
    expect(jsonFeedAsHtml('{"version":')).toBeNull();
  });
});

test('text directly in an entry is its content, if it has no other', () => {
  expect(feedAsHtml('<feed><title>News</title><entry>First &lt;b> entry</entry></feed>')).toContain(
    '<div>First &lt;b> entry</div>',
  );
});
