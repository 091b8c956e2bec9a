import { createDocument } from '@mixmark-io/domino';
import { select, selectFirst, setAttribute } from './selector-index.ts';

const PAGE = `<!doctype html><html lang="en"><head><title>A</title><base href="/b"><meta name="description" content="d">
<meta property="og:type" content="article"><script type="application/ld+json">{}</script></head>
<body class="top"><p title="">one <a href="/x" rel="author">x</a><a name="y">y</a></p>
<svg><title>drawn</title><a href="/svg"></a></svg><template><a href="/unseen"></a></template>
<label for="l">l</label><div hidden style="color: red"><img src="i.png"><img data-src="j.png" alt=""></div></body></html>`;

const SELECTORS = [
  ...['*', 'a', 'A', 'title', '[href]', '[title]', '[for]', 'a[href]', 'a[href], img[alt]', 'p, svg, img, a'],
  ...['[hidden], [style]', '[class*="to"]', 'meta[name="description"]', '[rel~="author"]', '*[alt]', '.top'],
  ...['.top, .other', '[rel="author"], .other, .top', '[rel="other"], [class*="x"]', '[class], .top'],
  ...['[property$="type"], [name="y"]', '[rel=""], [class^="t"]', '.TOP, [href]'],
  ...['p a', 'script[type="application/ld+json"]', 'img:not([alt])', '#none', 'p > a + a', '[data-src]'],
];

test.each(SELECTORS)('%s finds what domino finds', (selector) => {
  const document = createDocument(PAGE, true);
  for (const scope of [document, document.body, document.querySelector('p') as Element]) {
    const found = Array.from(scope.querySelectorAll(selector));
    expect(select(scope, selector)).toEqual(found);
    expect(selectFirst(scope, selector)).toBe(found[0] ?? null);
  }
});

test('changes of the document are seen', () => {
  const document = createDocument(PAGE, true);
  const before = select(document, 'a').length;
  const added = document.createElement('a');
  document.body.appendChild(added);
  expect(select(document, 'a')).toHaveLength(before + 1);
  setAttribute(added, 'data-x', '1');
  expect(select(document, '[data-x]')).toEqual([added]);
  setAttribute(added, 'data-x', null);
  expect(select(document, '[data-x]')).toEqual([]);
  added.remove();
  expect(select(document, 'a')).toHaveLength(before);
});

test('an invalid selector throws', () => {
  expect(() => select(createDocument(PAGE, true), 'a[')).toThrow(/selector/i);
});
