import { type ExtractInput, extract } from './extract.ts';

const read = (body: string, options: Partial<ExtractInput> = {}) =>
  extract({
    html: `<!doctype html><html><head><title>T</title></head><body>${body}</body></html>`,
    url: 'https://site.example/dir/page.html',
    title: 'T',
    charset: 'UTF-8',
    formats: ['markdown'],
    mainContent: true,
    ...options,
  });
const markdown = (body: string) => read(body).markdown;
const text = (body: string) => read(body, { formats: ['text'] }).text;

describe('markdown', () => {
  it.each([
    ['code with backticks', '<p><code>a `b` c</code></p>', '`` a `b` c ``'],
    ['a fence longer than those inside', '<pre>```\nx\n```</pre>', '````\n```\nx\n```\n````'],
    [
      'the language class of GitHub',
      '<div class="highlight-source-js"><pre>let a;</pre></div>',
      '```js\nlet a;\n```',
    ],
    [
      'the language class of Sphinx',
      '<div class="highlight-python3"><div class="highlight"><pre>x</pre></div></div>',
      '```python3\nx\n```',
    ],
    ['lines made of elements', '<pre><code><div>a</div><div>b</div></code></pre>', '```\na\nb\n```'],
    ['lines made of breaks', '<pre>a<br>b</pre>', '```\na\nb\n```'],
    [
      'a link around blocks',
      '<a href="/x"><h3>Title</h3><p>More</p></a>',
      '[Title More](https://site.example/x)',
    ],
    ['a link with brackets', '<a href="/a_(b)">c</a>', '[c](https://site.example/a_(b))'],
    ['a link with an unpaired bracket', '<a href="/a)b">c</a>', '[c](https://site.example/a\\)b)'],
    [
      'a link with a title',
      '<a href="/a" title="say &quot;x&quot;">c</a>',
      '[c](https://site.example/a "say \\"x\\"")',
    ],
    ['text that looks like HTML', '<p>a &lt;b&gt; &amp;amp; c</p>', 'a \\<b> &amp;amp; c'],
    ['a line break', '<p>a<br>b</p><p>c</p>', 'a  \nb\n\nc'],
    ['two lists in a row', '<ul><li>a</li></ul><ul><li>b</li></ul>', '- a\n\n* b'],
    ['adjacent items outside a list', '<div><li>a</li></div><div><li>b</li></div>', '- a\n\n- b'],
    [
      'a list in a cell',
      '<table><tr><th>x</th></tr><tr><td>of:<ul><li>a</li><li><b>b</b></li></ul></td></tr></table>',
      '| x |\n| --- |\n| of:<br>- a<br>- **b** |',
    ],
    ['a list from zero', '<ol start="0"><li>a</li></ol>', '0. a'],
    ['emphasis in emphasis', '<em>a <em>b</em></em>', '*a _b_*'],
    ['a javascript: link', '<a href="javascript:x()">c</a>', 'c'],
    ['an anchor link in a heading', '<h2>Title<a href="#t">¶</a></h2>', '## Title'],
    ['a heading over lines', '<h2>One<br>Two</h2>', '## One Two'],
    ['an inline data: image', '<p>a<img src="data:image/png;base64,xx" alt="b"></p>', 'a'],
    [
      'an image with only a srcset',
      '<img srcset="/s.png 1x, /l.png 2x" alt="b">',
      '![b](https://site.example/s.png)',
    ],
    [
      'a lazy image',
      '<img src="data:image/gif;base64,xx" data-src="/s.png" alt="b">',
      '![b](https://site.example/s.png)',
    ],
    [
      'a lazy image with a noscript copy',
      '<p>a <img src="data:image/gif;base64,xx" alt="b"><noscript><img src="/s.png" alt="b"></noscript></p>',
      'a ![b](https://site.example/s.png)',
    ],
    [
      'an image in noscript only',
      '<p>a <noscript><img src="/s.png" alt="b"></noscript></p>',
      'a ![b](https://site.example/s.png)',
    ],
    [
      'a picture element with several sources',
      '<picture><source srcset="/s.webp 1x, /l.webp 2x"><img alt="b"></picture>',
      '![b](https://site.example/s.webp)',
    ],
    ['a list with a start', '<ol start="3"><li>c</li><li>d</li></ol>', '3. c\n4. d'],
    ['an item of several paragraphs', '<ul><li><p>a</p><p>b</p></li></ul>', '- a\n\n  b'],
    ['terms without definitions', '<dl><dt>a</dt><dt>b</dt></dl>', '- a\n- b'],
  ])('of %s', (_name, html, expected) => {
    expect(markdown(html)).toBe(expected);
  });

  it('of a table pads short rows, and keeps columns under their heading', () => {
    const html =
      '<table><tr><th>A</th><th>B</th><th>C</th></tr><tr><td colspan="2">ab</td><td>c</td></tr><tr><td>a</td></tr></table>';
    expect(markdown(html)).toBe('| A | B | C |\n| --- | --- | --- |\n| ab |  | c |\n| a |  |  |');
  });

  it('of a table without a header has an empty one', () => {
    const html = '<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>';
    expect(markdown(html)).toBe('|  |  |\n| --- | --- |\n| a | b |\n| c | d |');
  });

  it('of a layout table has no table', () => {
    const html = '<table><tr><td><h1>News</h1><p>One</p></td><td><p>Two</p></td></tr></table>';
    expect(markdown(html)).toBe('# News\n\nOne\n\nTwo');
  });
});

describe('text', () => {
  it.each([
    ['inline elements', '<p>a<b>b</b> <i>c</i>\n d</p>', 'ab c d'],
    ['paragraphs', '<p>a</p><p>b</p>', 'a\n\nb'],
    ['blocks and breaks', '<div>a</div><div>b<br>c</div>', 'a\nb\nc'],
    ['cells', '<table><tr><td><p>a</p></td><td>b</td></tr><tr><td>c</td><td></td></tr></table>', 'a\tb\nc'],
    ['code', '<p>x</p><pre>  a\n    b</pre>', 'x\n\n  a\n    b'],
  ])('keeps %s', (_name, html, expected) => {
    expect(text(html)).toBe(expected);
  });
});

describe('a page', () => {
  it('that is empty has empty content', () => {
    const formats = ['markdown', 'text', 'html', 'links', 'raw_html'] as const;
    expect(read('', { html: '', formats })).toEqual({
      isEmpty: true,
      markdown: '',
      text: '',
      html: '<body></body>',
      links: [],
      raw_html: '',
    });
  });

  it('that is a frameset or no HTML is read without an error', () => {
    expect(read('', { html: '<frameset><frame src="a"></frameset>' })).toEqual({
      isEmpty: true,
      markdown: '',
    });
    expect(read('', { html: '<rss><item>Words</item></rss>' }).markdown).toBe('Words');
  });

  it('with a typo in a tag name is read', () => {
    expect(markdown('<p>one <b"x>two</b"x> three</p>')).toBe('one two three');
  });

  it('resolves URLs against its base', () => {
    const html = '<base href="/other/"><a href="x">y</a><a href="http://[bad">z</a>';
    expect(read('', { html, formats: ['links'] }).links).toEqual([
      { url: 'https://site.example/other/x', text: 'y', kind: 'internal' },
    ]);
  });

  it('keeps links to routes in the fragment, and omits jumps', () => {
    const links = read('<a href="#a">a</a><a href="#/route">b</a><a href="other.html#c">c</a>', {
      formats: ['links'],
    }).links;
    expect(links?.map(({ text }) => text)).toEqual(['b', 'c']);
  });

  it('has its shadow DOM flattened, with slotted elements in place', () => {
    const html =
      '<x-a><template shadowrootmode="open"><p>in <slot name="s">default</slot> and <slot>other</slot></p><x-b><template shadowrootmode="open">deep</template></x-b></template><b slot="s">given</b>rest</x-a>';
    expect(text(html)).toBe('in given and rest\n\ndeep');
  });
});
