/** HTML whose repetition makes naive parsers slow; each of about that many characters. */
export const HOSTILE_PAGES: Readonly<Record<string, (size: number) => string>> = {
  'blanks in a pre': (size) => body(`<pre>${'x'.padEnd(size)}y</pre>`),
  'blank lines in a pre': (size) => body(`<pre>a${' \n'.repeat(size / 2)}b</pre>`),
  'blanks in a link': (size) => body(`<a href="/">a${' '.repeat(size)}b</a>`),
  'backticks in a table': (size) =>
    body(
      `<table><tr><th>a</th><td>b</td></tr><tr><td><pre>${'```'.repeat(size / 3)}</pre></td></tr></table>`,
    ),
  'one long word': (size) => body(`<p>${'a'.repeat(size)}</p>`),
  digits: (size) => body(`<p>${'1'.repeat(size)}</p>`),
  numbers: (size) => body(`<p>${'1 '.repeat(size / 2)}</p>`),
  'phones without end': (size) => body(`<p>${'+49 30 1234'.repeat(size / 11)}</p>`),
  'at signs': (size) => body(`<p>${'@'.repeat(size)}</p>`),
  'spelled addresses': (size) => body(`<p>${'a [at] b [dot] '.repeat(size / 15)}</p>`),
  'streets without end': (size) => body(`<p>${'12 High Street '.repeat(size / 15)}</p>`),
  'copyright lines': (size) => body(lines(size, (n) => `© 2020 Company ${n} Ltd`)),
  addresses: (size) => body(lines(size, (n) => `${n} Main Street, Springfield, IL 62704`)),
  'mail links': (size) => body(lines(size, (n) => `<a href="mailto:a${n}@b${n}.com">m</a>`)),
  'a long mail link': (size) => body(`<a href="mailto:${'<'.repeat(size)}">m</a>`),
  'a long tel link': (size) => body(`<a href="tel:${' '.repeat(size)}1">m</a>`),
  'open tags': (size) => body('<b>'.repeat(Math.min(size / 3, 3000)) + 'x'.repeat(size / 2)),
  'misnested formatting': (size) => body('<b><p></b>'.repeat(Math.min(size / 10, 1500))),
  'a wide table': (size) => body(`<table>${'<tr><td colspan="100">x</td></tr>'.repeat(size / 33)}</table>`),
  'nested lists': (size) => body('<ul><li>x'.repeat(Math.min(size / 9, 400))),
  'a long list': (size) => body(`<ol>${'<li>x</li>'.repeat(size / 10)}</ol>`),
  'lists in a row': (size) => body('<ul><li>x</li></ul>'.repeat(size / 19)),
  headings: (size) =>
    `<html><head><title>${'a b '.repeat(size / 8)}</title></head>${body(lines(size / 2, (n) => `<h1>a b ${n}</h1>`))}`,
  'shadow roots': (size) =>
    body('<div><template shadowrootmode="open"><slot></slot></template>x</div>'.repeat(size / 66)),
  'pictures in noscript': (size) => body('<img><noscript><img src="/a.png"></noscript>'.repeat(size / 46)),
  'sources of pictures': (size) =>
    body(
      `<picture>${'<source srcset="a,b">'.repeat(size / 42)}${'<img data-src="/x">'.repeat(size / 38)}</picture>`,
    ),
  attributes: (size) =>
    body(`<div ${Array.from({ length: size / 8 }, (_, n) => `a${n}=1`).join(' ')}>x</div>`),
  classes: (size) => body(`<div class="${'logo '.repeat(size / 5)}">x</div>`),
  'icons with text': (size) => body(`${'<span class="fax">'.repeat(300)}${'x '.repeat(size / 2)}`),
  microdata: (size) =>
    body(lines(size, (n) => `<div itemscope itemtype="Thing"><span itemprop="name">n${n}</span></div>`)),
  'nested microdata': (size) =>
    body('<div itemscope itemprop="a b c d e">'.repeat(Math.min(size / 36, 1000))),
  'deep JSON-LD': (size) => jsonLd(`${'['.repeat(size / 2)}${']'.repeat(size / 2)}`),
  'wide JSON-LD': (size) => jsonLd(`[${'{"@type":"Organization","name":"A"},'.repeat(size / 36)}{}]`),
  'blanks in JSON-LD': (size) => jsonLd(`{"name":"a"${' '.repeat(size)}x`),
  'commas in JSON-LD': (size) => jsonLd(`[1${','.repeat(size)}`),
  metas: (size) =>
    `<html><head>${lines(size, (n) => `<meta name="m${n}" content="v">`)}</head><body>x</body></html>`,
  hCards: (size) =>
    body('<div class="vcard"><span class="org">A</span><span class="tel">1</span></div>'.repeat(size / 73)),
  'turned text': (size) => body('<bdo dir="rtl">moc.a@b</bdo>'.repeat(size / 28)),
  'scripts of addresses': (size) => body(`<script>${"var addy1 = 'a' + '@';".repeat(size / 22)}</script>`),
  'links with long texts': (size) => body(lines(size, (n) => `<a href="/p/${n}">${'text '.repeat(20)}</a>`)),
  sentences: (size) => body(`<p>${'We do this, and that. '.repeat(size / 22)}</p>`),
  bylines: (size) =>
    body(`<p class="byline">by ${'1 '.repeat(size / 2)}</p><p class="date">${'NOV'.repeat(size / 3)}</p>`),
};

const body = (html: string): string => `<html><body>${html}</body></html>`;
const jsonLd = (json: string): string => body(`<script type="application/ld+json">${json}</script>`);

function lines(size: number, line: (number: number) => string): string {
  const all: string[] = [];
  for (let length = 0, number = 1; length < size; number += 1) {
    const next = `<p>${line(number)}</p>`;
    length += next.length;
    all.push(next);
  }
  return all.join('');
}
