import { extract } from '../extract.ts';

const read = (head: string, body = '', url = 'https://news.example/2024/05/03/locks') =>
  extract({
    html: `<!doctype html><html lang="en"><head>${head}</head><body>${body}</body></html>`,
    url,
    title: null,
    charset: 'UTF-8',
    formats: ['metadata'],
    mainContent: true,
  }).metadata ?? {};
const jsonLd = (thing: unknown) => `<script type="application/ld+json">${JSON.stringify(thing)}</script>`;

describe('the title', () => {
  it.each([
    ['is without the site name', '<title>How locks work | Canal News</title>', '', 'How locks work'],
    [
      'is the heading if the title contains it',
      '<title>Locks - How locks work - Canal News</title>',
      '<h1>How locks work</h1>',
      'How locks work',
    ],
    [
      'is not the heading that names the site',
      '<title>How locks work – Canal News</title>',
      '<h1>Canal News</h1>',
      'How locks work',
    ],
    [
      'keeps its hyphens',
      '<title>A twenty-foot lock</title>',
      '<h1>Something else</h1>',
      'A twenty-foot lock',
    ],
    [
      'of an article is its only heading',
      '<meta property="og:type" content="article"><title>Lock guide: all you need | Canal News</title>',
      '<h1>Everything about a lock</h1>',
      'Everything about a lock',
    ],
    [
      'is not a heading from its middle',
      '<title>Why every canal has locks and gates | Canal News</title>',
      '<h1>Locks</h1><h1>Gates</h1>',
      'Why every canal has locks and gates',
    ],
    [
      'is the heading it begins with',
      '<title>Locks: buy, repair and restore them | Canal News</title>',
      '<h1>Locks</h1>',
      'Locks',
    ],
    [
      'is the heading if it only names the site',
      '<title>News - all day long</title>',
      '<h1>How locks work</h1>',
      'How locks work',
    ],
    [
      'is without the sections before it',
      '<meta property="og:title" content="Locks"><title>Canal Handbook: Parts: Locks</title>',
      '',
      'Locks',
    ],
    ['is the heading if there is no title', '', '<h1>Locks</h1>', 'Locks'],
  ])('%s', (_what, head, body, expected) => {
    expect(read(head, body).title).toBe(expected);
  });
});

describe('the author', () => {
  it.each<[string, string, string, string[] | undefined]>([
    [
      'is in JSON-LD',
      jsonLd({
        '@graph': [{ '@type': 'NewsArticle', author: [{ name: 'Ada Brookes' }, { name: 'Ben Hall' }] }],
      }),
      '',
      ['Ada Brookes', 'Ben Hall'],
    ],
    ['is in a tag', '<meta name="author" content="By Ada Brookes">', '', ['Ada Brookes']],
    ['is in a byline', '', '<p class="byline">By Ada Brookes | 3 May</p>', ['Ada Brookes']],
    [
      'is not the site',
      '<meta property="og:site_name" content="Canal News"><meta name="author" content="Canal News">',
      '',
      undefined,
    ],
    ['is not the administrator', '<meta name="author" content="admin">', '', undefined],
    ['is not a URL', '<meta property="article:author" content="https://facebook.com/x">', '', undefined],
    ['is not one of many in a list of articles', '', '<p class="byline">Ada</p>'.repeat(5), undefined],
    [
      'is another thing in JSON-LD that the article points to',
      jsonLd({
        '@graph': [
          { '@type': 'Article', author: { '@id': '#/person/7' } },
          { '@type': 'Person', '@id': '#/person/7', name: 'Ada Brookes' },
        ],
      }),
      '',
      ['Ada Brookes'],
    ],
    ['is who made a recipe', jsonLd({ '@type': 'Recipe', author: { name: 'ada_b' } }), '', ['ada_b']],
    [
      'is in the tags for link previews',
      '<meta name="twitter:label1" content="Verfasst von"><meta name="twitter:data1" content="Ada Brookes">',
      '',
      ['Ada Brookes'],
    ],
    [
      'is the writer, not the site that declares itself',
      '<meta name="author" content="Canal.example News">',
      '<div class="article-author">von <a href="/team/ada">Ada Brookes</a></div>',
      ['Ada Brookes'],
    ],
    [
      'is the organisation if no person is named',
      '<meta name="author" content="Canal Trust Foundation">',
      '',
      ['Canal Trust Foundation'],
    ],
    [
      'is without the label that only a screen reader reads',
      '',
      '<span class="author vcard"><span class="screen-reader-text">Author</span><a class="url fn n" href="/author/ada">Ada Brookes</a></span>',
      ['Ada Brookes'],
    ],
    [
      'may be a user name',
      '',
      '<span class="entry-author vcard">Veröffentlicht von <a class="fn" href="/author/a">c1ph4</a></span>',
      ['c1ph4'],
    ],
    [
      'are all that a byline links to',
      '',
      '<div class="byline">By <a href="/a">Ada Brookes</a> and <a href="/b">Ben Hall</a></div>',
      ['Ada Brookes', 'Ben Hall'],
    ],
    [
      'is in a line below the heading',
      '',
      '<h1>Locks</h1><p><em>Von Ada Brookes</em></p><p>Text.</p>',
      ['Ada Brookes'],
    ],
    [
      'is the link after the word by',
      '',
      '<h1>Locks</h1><p>by <a href="/ada">Ada van der Brookes</a></p>',
      ['Ada van der Brookes'],
    ],
    [
      'is the one who began the thread',
      '',
      '<h1>Locks</h1><article class="message" data-author="ada_b">Why?</article><article class="message" data-author="ben">So.</article>',
      ['ada_b'],
    ],
    [
      'is the one who wrote the first post of a board',
      '',
      '<h1>Locks</h1><dl class="postprofile"><dt><img alt="ada"><a class="username" href="/u/1">ada_b</a></dt></dl><dl class="postprofile"><dt><a class="username" href="/u/2">ben</a></dt></dl>',
      ['ada_b'],
    ],
    [
      'is not one who comments',
      '',
      '<h1>Locks</h1><div class="comment-list"><div class="comment-author">Ben Hall</div></div>',
      undefined,
    ],
    [
      'is not a sentence that begins alike',
      '',
      '<h1>Locks</h1><p>By Monday The Boats Return.</p><p>By bus</p>',
      undefined,
    ],
  ])('%s', (_what, head, body, expected) => {
    expect(read(head, body).authors).toEqual(expected);
  });
});

describe('the date', () => {
  const elsewhere = 'https://news.example/locks';

  it.each<[string, string, string, string | undefined]>([
    [
      'of an article takes precedence over that of its page',
      jsonLd([
        { '@type': 'WebPage', datePublished: '2020-01-01' },
        { '@type': 'BlogPosting', datePublished: '2024-05-03T10:00:00Z', dateModified: '2024-06-01' },
      ]),
      '',
      '2024-05-03T10:00:00Z',
    ],
    ['is in a tag', '<meta property="article:published_time" content="2024-05-03">', '', '2024-05-03'],
    [
      'is in the first time of the article',
      '',
      '<article><time datetime="2024-05-03">x</time></article>',
      '2024-05-03',
    ],
    ['may be written out in a byline', '', '<p class="post-meta">Ada, May 3rd, 2024</p>', '2024-05-03'],
    ['is not the zero date of a template', '<meta name="date" content="0000-00-00">', '', undefined],
    ['is not any date in the text', '', '<p>On May 3, 2024 it rained.</p>', undefined],
  ])('%s', (_what, head, body, expected) => {
    expect(read(head, body, elsewhere).published).toBe(expected);
  });

  it('comes from the URL if it is nowhere else', () => {
    expect(read('').published).toBe('2024-05-03');
  });
});

it('metadata has feeds, microdata and the site name', () => {
  const head =
    '<meta property="og:site_name" content="Canal News"><link rel="alternate" type="application/rss+xml" title="All" href="/feed">';
  const body =
    '<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">Rope</b><i itemprop="offers" itemscope itemtype="https://schema.org/Offer"><meta itemprop="price" content="12"></i></div>';
  expect(read(head, body)).toMatchObject({
    site_name: 'Canal News',
    feeds: [{ url: 'https://news.example/feed', title: 'All', type: 'application/rss+xml' }],
    microdata: [
      {
        type: 'https://schema.org/Product',
        properties: {
          name: ['Rope'],
          offers: [{ type: 'https://schema.org/Offer', properties: { price: ['12'] } }],
        },
      },
    ],
  });
});

describe('URLs in metadata', () => {
  const base = 'https://news.example/2024/05/03/locks';

  it.each([
    [
      'a relative og:image',
      '<meta property="og:image" content="/i.jpg">',
      { opengraph: { image: 'https://news.example/i.jpg' } },
    ],
    [
      'one without a scheme',
      '<meta property="og:image" content="//cdn.example/i.jpg">',
      { opengraph: { image: 'https://cdn.example/i.jpg' } },
    ],
    [
      'a relative twitter:image',
      '<meta name="twitter:image" content="../i.jpg">',
      { twitter: { image: 'https://news.example/2024/05/i.jpg' } },
    ],
    [
      'a relative og:url',
      '<meta property="og:url" content="/locks">',
      { opengraph: { url: 'https://news.example/locks' }, canonical: 'https://news.example/locks' },
    ],
    [
      'words that are no URL',
      '<meta property="og:image:alt" content="A lock">',
      { opengraph: { 'image:alt': 'A lock' } },
    ],
    [
      'a base',
      '<base href="https://other.example/x/"><meta property="og:image" content="i.jpg">',
      { opengraph: { image: 'https://other.example/x/i.jpg' } },
    ],
    [
      'a relative canonical',
      '<link rel="canonical" href="/locks?a=1">',
      { canonical: 'https://news.example/locks?a=1' },
    ],
    [
      'an icon in capitals',
      '<link rel="Shortcut Icon" href="/f.ico">',
      { favicon: 'https://news.example/f.ico' },
    ],
    [
      'several images',
      '<meta property="og:image" content="/a.jpg"><meta property="og:image:secure_url" content="https://news.example/a.jpg"><meta property="og:image" content="/b.jpg">',
      {
        images: ['https://news.example/a.jpg', 'https://news.example/b.jpg'],
        opengraph: { image: 'https://news.example/a.jpg', 'image:secure_url': 'https://news.example/a.jpg' },
      },
    ],
    [
      'languages',
      '<link rel="alternate" hreflang="de" href="/de/"><link rel="alternate" hreflang="x-default" href="/">',
      {
        alternates: [
          { language: 'de', url: 'https://news.example/de/' },
          { language: 'x-default', url: 'https://news.example/' },
        ],
      },
    ],
  ])('%s', (_name, head, expected) => {
    expect(read(head, '', base)).toMatchObject(expected);
  });

  it.each([
    ['no favicon that the page does not declare', '', 'favicon'],
    ['no empty icon', '<link rel="icon" href="data:,">', 'favicon'],
    ['no empty canonical', '<link rel="canonical" href="">', 'canonical'],
    ['no canonical of another kind', '<link rel="canonical" href="javascript:x()">', 'canonical'],
    ['no empty image', '<meta property="og:image" content=" ">', 'images'],
    ['no language of a template', '<html lang="{{lang}}">', 'language'],
  ])('%s', (_name, head, field) => {
    const html = head.startsWith('<html') ? head : `<html><head>${head}</head></html>`;
    expect(readWhole(html).metadata).not.toHaveProperty(field);
  });
});

const readWhole = (html: string) =>
  extract({
    html: `<!doctype html>${html}`,
    ...{ url: 'https://news.example/2024/05/03/locks', title: null, charset: 'UTF-8' },
    ...{ formats: ['metadata', 'links'], mainContent: true },
  });

describe('the title of a page', () => {
  it.each([
    ['is its title', '<head><title>A</title></head>', 'A'],
    ['is on one line', '<head><title>\n A&nbsp;long\n  ti&shy;tle&#8203; </title></head>', 'A long title'],
    ['is not that of a drawing', '<body><svg><title>Menu</title></svg><h1>Locks</h1></body>', 'Locks'],
    [
      'is the one for cards',
      '<head><title> </title><meta property="og:title" content="A&nbsp;B"></head>',
      'A B',
    ],
    [
      'is not an empty one for cards',
      '<head><meta property="og:title" content=""><meta name="twitter:title" content="A"></head>',
      'A',
    ],
    ['is the first heading', '<body><h1></h1><h1>A<br>B</h1></body>', 'A B'],
    ['may be missing', '<body><p>A</p></body>', ''],
  ])('%s', (_name, html, expected) => {
    expect(readWhole(`<html>${html}</html>`).title).toBe(expected);
  });
});

it.each([
  ['<a href="/a"><h3>Title</h3><p>More</p></a>', 'Title More'],
  ['<a href="/a">Line<br>two</a>', 'Line two'],
  ['<a href="/a"><span style="display:block">Name</span><span>10&nbsp;€</span></a>', 'Name 10 €'],
  ['<a href="/a">One<b>two</b></a>', 'Onetwo'],
  ['<a href="/a"><style>.x{}</style>Text</a>', 'Text'],
])('the text of %s is on one line', (html, expected) => {
  expect(readWhole(`<html><body>${html}</body></html>`).links?.[0]?.text).toBe(expected);
});
