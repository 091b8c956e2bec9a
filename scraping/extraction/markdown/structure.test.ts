import { extract } from '../extract.ts';

const read = (body: string) =>
  extract({
    html: `<!doctype html><html><head><title>T</title></head><body>${body}</body></html>`,
    url: 'https://site.example/dir/page.html',
    title: 'T',
    charset: 'UTF-8',
    formats: ['markdown', 'text'],
    mainContent: true,
  });
const markdown = (body: string) => read(body).markdown;
const text = (body: string) => read(body).text;

type Case = [name: string, html: string, markdown: string, text: string];

describe('tables', () => {
  it.each<Case>([
    [
      'two header rows are one, and a rowspan keeps its columns free',
      `<table><thead><tr><th rowspan="2">Name</th><th colspan="2">2024</th></tr><tr><th>Q1</th><th>Q2</th></tr></thead>
        <tbody><tr><td rowspan="2">A</td><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></tbody></table>`,
      '| Name | 2024<br>Q1 | 2024<br>Q2 |\n| --- | --- | --- |\n| A | 1 | 2 |\n|  | 3 | 4 |',
      'Name\t2024\n\tQ1\tQ2\nA\t1\t2\n\t3\t4',
    ],
    [
      'header rows without thead',
      '<table><tr><th rowspan="2">N</th><th colspan="2">G</th></tr><tr><th>a</th><th>b</th></tr><tr><td>x</td><td>1</td><td>2</td></tr></table>',
      '| N | G<br>a | G<br>b |\n| --- | --- | --- |\n| x | 1 | 2 |',
      'N\tG\n\ta\tb\nx\t1\t2',
    ],
    [
      'a rowspan ends with its row group',
      '<table><thead><tr><th rowspan="9">A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>',
      '| A | B |\n| --- | --- |\n| 1 | 2 |',
      'A\tB\n1\t2',
    ],
    [
      'rowspan 0 reaches to the end',
      '<table><tr><th>A</th><th>B</th></tr><tr><td rowspan="0">1</td><td>2</td></tr><tr><td>3</td></tr><tr><td>4</td></tr></table>',
      '| A | B |\n| --- | --- |\n| 1 | 2 |\n|  | 3 |\n|  | 4 |',
      'A\tB\n1\t2\n\t3\n\t4',
    ],
    [
      'a rowspan over a colspan',
      '<table><tr><th>A</th><th>B</th><th>C</th></tr><tr><td rowspan="2" colspan="2">ab</td><td>1</td></tr><tr><td>2</td></tr></table>',
      '| A | B | C |\n| --- | --- | --- |\n| ab |  | 1 |\n|  |  | 2 |',
      'A\tB\tC\nab\t\t1\n\t\t2',
    ],
    [
      'an empty corner above row headings',
      '<table><tr><td></td><th>A</th><th>B</th></tr><tr><th>r</th><td>1</td><td>2</td></tr></table>',
      '|  | A | B |\n| --- | --- | --- |\n| r | 1 | 2 |',
      '\tA\tB\nr\t1\t2',
    ],
    [
      'a caption, and a foot written before the body',
      '<table><caption>Sums</caption><thead><tr><th>A</th></tr></thead><tfoot><tr><td>all</td></tr></tfoot><tbody><tr><td>one</td></tr></tbody></table>',
      'Sums\n\n| A |\n| --- |\n| one |\n| all |',
      'Sums\nA\none\nall',
    ],
    [
      'a title over all columns',
      '<table><tr><th colspan="2">Ada</th></tr><tr><th>Born</th><td>1815</td></tr><tr><th>Died</th><td>1852</td></tr></table>',
      'Ada\n\n|  |  |\n| --- | --- |\n| Born | 1815 |\n| Died | 1852 |',
      'Ada\nBorn\t1815\nDied\t1852',
    ],
    [
      'pipes, breaks, blocks and pictures in cells',
      '<table><tr><th>A</th><th>B</th></tr><tr><td>1|2</td><td>a<br>b</td></tr><tr><td><img src="/i.png" alt="i"></td><td><p>c</p><p>d</p></td></tr></table>',
      '| A | B |\n| --- | --- |\n| 1\\|2 | a<br>b |\n| ![i](https://site.example/i.png) | c<br>d |',
      'A\tB\n1|2\ta b\n\tc d',
    ],
    [
      'a first cell that is empty or a picture begins a row',
      '<table><tr><td>a</td><td>b</td></tr><tr><td></td><td>c</td></tr><tr><td><img src="/i.png"></td><td>d</td></tr><tr><td>e</td><td></td></tr></table>',
      '|  |  |\n| --- | --- |\n| a | b |\n|  | c |\n| ![](https://site.example/i.png) | d |\n| e |  |',
      'a\tb\n\tc\n\td\ne',
    ],
    [
      'a small table in a cell',
      '<table><tr><th>K</th><th>V</th></tr><tr><td>n</td><td><table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table></td></tr><tr><td>m</td><td>w</td></tr></table>',
      '| K | V |\n| --- | --- |\n| n | 1, 2<br>3, 4 |\n| m | w |',
      'K\tV\nn\t1 2 3 4\nm\tw',
    ],
    [
      'an empty row is left out',
      '<table><tr><th>A</th></tr><tr><td></td></tr><tr><td>1</td></tr></table>',
      '| A |\n| --- |\n| 1 |',
      'A\n1',
    ],
  ])('%s', (_name, html, asMarkdown, asText) => {
    expect(read(html)).toEqual({ markdown: asMarkdown, text: asText });
  });
});

describe('code', () => {
  const twoLines = '```\na\nb\n```';
  it.each([
    ['blank lines', '<pre><code>a\n\n\n\nb\n \nc</code></pre>', '```\na\n\n\n\nb\n\nc\n```'],
    ['blank lines in an item', '<ul><li>x<pre>a\n\n\nb</pre></li></ul>', '- x\n\n  ```\n  a\n\n\n  b\n  ```'],
    [
      'blank lines in a quote',
      '<blockquote><pre>a\n\n\nb</pre></blockquote>',
      '> ```\n> a\n>\n>\n> b\n> ```',
    ],
    ['tabs', '<pre>\ta\n\t\tb</pre>', '```\n\ta\n\t\tb\n```'],
    ['non-breaking blanks', '<pre>a\n&nbsp;&nbsp;b</pre>', '```\na\n  b\n```'],
    ['an empty block', '<p>x</p><pre><code></code></pre><pre></pre><p>y</p>', 'x\n\n```\n```\n\ny'],
    [
      'lines in spans',
      '<pre><code><span class="line">a</span><span class="line">b</span></code></pre>',
      twoLines,
    ],
    [
      'lines in spans and line breaks',
      '<pre><code><span class="line">a</span>\n<span class="line"></span>\n<span class="line">b</span></code></pre>',
      '```\na\n\nb\n```',
    ],
    [
      'lines in spans with a break',
      '<pre><span class="line">a</span><br><span class="line">b</span><br></pre>',
      twoLines,
    ],
    [
      'lines in blocks of a source',
      '<pre><div class="line">a</div>\n<div class="line">b</div>\n</pre>',
      twoLines,
    ],
    ['an empty line in a block', '<pre><div>a</div><div><br></div><div>b</div></pre>', '```\na\n\nb\n```'],
    [
      'lines shown as blocks',
      '<pre><span style="display:block">a</span><span style="display:block">b</span></pre>',
      twoLines,
    ],
    ['breaks in code', '<p>Run <code>a<br>b</code> now</p>', 'Run\n\n```\na\nb\n```\n\nnow'],
    ['breaks in code of a heading', '<h2>Use <code>a<br>b</code></h2>', '## Use `a` `b`'],
    ['no copy button', '<pre><button>Copy</button><code class="language-js">a</code></pre>', '```js\na\n```'],
    [
      'no line numbers of Chroma',
      '<pre><span class="line"><span class="ln">1</span>a\n</span><span class="line"><span class="ln">2</span>b\n</span></pre>',
      twoLines,
    ],
    [
      'no line numbers of Pygments',
      '<table class="highlighttable"><tr><td class="linenos"><div class="linenodiv"><pre>1\n2</pre></div></td><td class="code"><div class="highlight-python"><pre>a\nb\n</pre></div></td></tr></table>',
      '```python\na\nb\n```',
    ],
    [
      'no line numbers of Hexo',
      '<figure class="highlight java"><table><tr><td class="gutter"><pre><span class="line">1</span><br><span class="line">2</span></pre></td><td class="code"><pre><span class="line">a</span><br><span class="line">b</span></pre></td></tr></table></figure>',
      '```java\na\nb\n```',
    ],
    [
      'no line numbers of GitHub',
      '<table class="highlight"><tr><td class="blob-num" data-line-number="1"></td><td class="blob-code">a</td></tr><tr><td class="blob-num" data-line-number="2"></td><td class="blob-code">  b</td></tr></table>',
      '```\na\n  b\n```',
    ],
    [
      'no line numbers of highlight.js',
      '<pre><code><table class="hljs-ln"><tr><td class="hljs-ln-numbers" data-line-number="1"><div data-line-number="1"></div></td><td>a</td></tr><tr><td class="hljs-ln-numbers" data-line-number="2"></td><td>b</td></tr></table></code></pre>',
      twoLines,
    ],
    [
      'no line numbers of React',
      '<pre><code><span class="linenumber react-syntax-highlighter-line-number">1\n</span>a\n<span class="linenumber">2\n</span>b</code></pre>',
      twoLines,
    ],
    [
      'no anchors of lines',
      '<pre><a id="l1" href="#l1">1</a>a\n<a id="l2" href="#l2">2</a>b</pre>',
      twoLines,
    ],
    ['numbers that are code', '<pre class="line-numbers">1\n2</pre>', '```\n1\n2\n```'],
    [
      'the language of Pandoc',
      '<div class="sourceCode"><pre class="sourceCode rust"><code class="sourceCode rust">a</code></pre></div>',
      '```rust\na\n```',
    ],
    ['the language of highlight.js', '<pre><code class="hljs language-c++">a</code></pre>', '```c++\na\n```'],
    ['the language of an attribute', '<pre lang="ruby"><code>a</code></pre>', '```ruby\na\n```'],
    ['no natural language', '<pre lang="de"><code class="language-plaintext">a</code></pre>', '```\na\n```'],
  ])('keeps %s', (_name, html, expected) => {
    expect(markdown(html)).toBe(expected);
  });

  it('keeps blank lines and has no line numbers in text', () => {
    expect(
      text('<p>x</p><pre><span class="lineno">1</span>a\n\n\n<span class="lineno">4</span>b</pre>'),
    ).toBe('x\n\na\n\n\nb');
  });
});

describe('raised and lowered text', () => {
  it.each([
    ['a power', '10<sup>6</sup> m<sup>2</sup>', '10⁶ m²'],
    ['a negative power', '10<sup>-6</sup> s<sup>−1</sup>', '10⁻⁶ s⁻¹'],
    ['a chemical formula', 'H<sub>2</sub>O and CO<sub>2</sub>', 'H₂O and CO₂'],
    ['an isotope', '<sup>14</sup><sub>6</sub>C', '¹⁴₆C'],
    ['letters', 'x<sup>n+1</sup> e<sup>iπ</sup> 2<sup>a+b</sup>', 'xⁿ⁺¹ e^iπ 2^(a+b)'],
    ['an index', 'x<sub>max</sub>', 'x_max'],
    ['ordinals', '1<sup>st</sup> 2<sup>e</sup>', '1st 2e'],
    ['a trademark', 'Brand<sup>TM</sup> Other<sup>®</sup>', 'Brand™ Other®'],
    [
      'a fraction',
      '<sup>1</sup>/<sub>2</sub> 2<sup>3</sup>&frasl;<sub>4</sub> <sup>5</sup>/<sub>64</sub>',
      '½ 2¾ ⁵⁄₆₄',
    ],
    ['a fraction without slash', '<sup>1</sup><sub>2</sub> cup, ½ cup', '½ cup, ½ cup'],
    ['a fraction after a number', '2<span class="frac">1⁄2</span>', '2 1⁄2'],
    ['cents', '$19<sup>99</sup>, 5<sup>50</sup> €', '$19.99, 5.50 €'],
    ['a note', 'word<sup><a href="#n1">1</a></sup> and<sup class="reference">[2]</sup>', 'word[1] and[2]'],
    ['small print', 'Price<sup>per person and night</sup>', 'Price per person and night'],
  ])('of %s', (_name, html, expected) => {
    expect(text(`<p>${html}</p>`)).toBe(expected);
  });

  it('is escaped in markdown, and a note stays a link', () => {
    expect(markdown('<p>x<sub>max</sub> word<sup><a href="#n1">1</a></sup></p>')).toBe(
      'x\\_max word[\\[1\\]](https://site.example/dir/page.html#n1)',
    );
  });
});

describe('lists', () => {
  it.each([
    ['an item with a value', '<ol><li>a</li><li value="5">b</li><li>c</li></ol>', '1. a\n5. b\n6. c'],
    ['a negative start', '<ol start="-1"><li>a</li><li>b<p>c</p></li></ol>', '- -1\\. a\n- 0\\. b\n\n  c'],
    ['a reversed list', '<ol reversed><li>a</li><li>b</li></ol>', '2. a\n1. b'],
    ['letters', '<ol type="a"><li>a</li><li>b</li></ol>', '1. a\n2. b'],
    ['an empty item', '<ul><li>a</li><li></li><li>b</li></ul>', '- a\n-\n- b'],
    [
      'tasks',
      '<ul><li><input type="checkbox" checked disabled> a</li><li><label><input type="checkbox"> b</label></li></ul>',
      '- [x] a\n- [ ] b',
    ],
    ['choices of a form', '<ul><li><input type="checkbox" name="c"> a</li></ul>', '- a'],
    ['a list in an item', '<ul><li>a<ol><li>b</li></ol></li></ul>', '- a\n  1. b'],
    ['a list in a list', '<ul><li>a</li><ul><li>b</li></ul><li>c</li></ul>', '- a\n  - b\n- c'],
  ])('keep %s', (_name, html, expected) => {
    expect(markdown(html)).toBe(expected);
  });
});

describe('text is not glued', () => {
  it.each([
    ['details', '<details><summary>Why?</summary>Because.</details>', 'Why?\n\nBecause.', 'Why?\nBecause.'],
    ['a fieldset', '<fieldset><legend>Size</legend>Small</fieldset>', 'Size\n\nSmall', 'Size\nSmall'],
    ['terms', '<dl><dt>A</dt><dd>b</dd><dd>c</dd></dl>', '- A\n\n  b\n\n  c', 'A\nb\nc'],
    [
      'a figure',
      '<figure>A picture<figcaption>Its words</figcaption></figure>',
      'A picture\n\nIts words',
      'A picture\nIts words',
    ],
    [
      'an address',
      '<address>High Street 1<br>Town</address>',
      'High Street 1  \nTown',
      'High Street 1\nTown',
    ],
    [
      'buttons and labels',
      '<p><button>A</button><button>B</button><label>C</label><label>D</label></p>',
      'A B C D',
      'A B C D',
    ],
    ['custom elements', '<p><x-name>A</x-name><x-price>B</x-price></p>', 'A B', 'A B'],
    [
      'flex items',
      '<div style="display: flex"><span>Name</span><span>Price</span></div>',
      'Name Price',
      'Name Price',
    ],
    [
      'a column of items',
      '<div style="display:flex;flex-direction:column"><span>a</span><span>b</span></div>',
      'a  \nb',
      'a\nb',
    ],
    [
      'spans shown as blocks',
      '<p><span style="display:block">a</span><span style="display:block">b</span></p>',
      'a  \nb',
      'a\nb',
    ],
    [
      'a block after bold text',
      '<p><b>a</b><span style="display:block"><b>b</b></span></p>',
      '**a**  \n**b**',
      'a\nb',
    ],
    [
      'inline blocks',
      '<p><span style="display:inline-block">aa</span><span style="display:inline-block">bb</span></p>',
      'aa bb',
      'aa bb',
    ],
    ['a floating price', '<p>Lamp<span style="float:right">20</span></p>', 'Lamp 20', 'Lamp 20'],
    [
      'fields by their classes',
      '<p><span class="name">lamp</span><span class="price">ten</span></p>',
      'lamp ten',
      'lamp ten',
    ],
    [
      'fields by their letters',
      '<p><span class="x1">Lamp</span><span class="x2">Desk</span></p>',
      'Lamp Desk',
      'Lamp Desk',
    ],
    ['a label and its value', '<p><strong>Price:</strong><span>10</span></p>', '**Price:** 10', 'Price: 10'],
    ['old and new prices', '<p><del>$20</del><ins>$15</ins></p>', '~~$20~~ $15', '$20 $15'],
    ['keys', '<p><kbd>Ctrl</kbd><kbd>C</kbd></p>', '`Ctrl` `C`', 'Ctrl C'],
    [
      'readings',
      '<p><ruby>漢<rt>kan</rt></ruby> <ruby>字<rp>(</rp><rt>ji</rt><rp>)</rp></ruby></p>',
      '漢(kan) 字(ji)',
      '漢(kan) 字(ji)',
    ],
    ['quotations', '<p><q>One <q>two</q></q></p>', '“One ‘two’”', '“One ‘two’”'],
  ])('in %s', (_name, html, asMarkdown, asText) => {
    expect(read(html)).toEqual({ markdown: asMarkdown, text: asText });
  });

  it.each([
    ['a drop cap', '<p><span class="cap">H</span><span class="rest">ello</span></p>', 'Hello'],
    ['a part in bold', '<p>un<b>believ</b>able Java<b>Script</b></p>', 'unbelievable JavaScript'],
    [
      'a word that may break',
      '<p>super<wbr>long extra&shy;ordinary zero&#8203;width</p>',
      'superlong extraordinary zerowidth',
    ],
    ['text in another direction', '<p>a<bdo dir="rtl">b</bdo>c</p>', 'abc'],
    ['an address in pieces', '<p><b>https:</b><span>//a.example</span></p>', 'https://a.example'],
  ])('but %s stays one', (_name, html, expected) => {
    expect(text(html)).toBe(expected);
  });

  it('with odd blanks', () => {
    expect(read('<p>10&nbsp;000&#8239;€ a&#8195;b&#12288;c</p>')).toEqual({
      markdown: '10 000 € a b c',
      text: '10 000 € a b c',
    });
  });
});
