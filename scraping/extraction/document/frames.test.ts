import { describe, expect, it } from '@jest/globals';
import { extract } from '../extract.ts';
import type { FrameDocument } from './frames.ts';

const frame = (src: string, html: string | null, frames: FrameDocument[] = []): FrameDocument => ({
  ...{ src, html, frames },
  url: new URL(src, 'https://site.example/inner/').href,
});

const read = (html: string, frames: FrameDocument[] = []) =>
  extract({
    ...{ html, frames, url: 'https://site.example/page', title: null, charset: 'utf-8' },
    formats: ['text', 'links', 'raw_html'],
    mainContent: false,
    fields: { prices: { selector: '.price', many: true } },
  });

describe('the documents of frames belong to the page', () => {
  it('in the place of their elements, with addresses of their own', () => {
    const html = '<h1>Outer</h1><iframe src="a"></iframe><p>between</p><iframe src="b"></iframe><p>end</p>';
    const { text, links, raw_html, extracted } = read(html, [
      frame('b', '<p class="price">7</p>'),
      frame('a', '<base href="/deep/"><p>First <a href="x">link</a></p>'),
    ]);
    expect(text?.split(/\n+/)).toEqual(['Outer', 'First link', 'between', '7', 'end']);
    expect(links?.map(({ url }) => url)).toEqual(['https://site.example/deep/x']);
    expect(extracted).toEqual({ prices: ['7'] });
    expect(raw_html).toBe(html);
  });

  it.each<[string, string, FrameDocument[], string]>([
    [
      'a frameset',
      '<frameset><frame src="a"><frame src="b"></frameset>',
      [frame('a', 'one'), frame('b', '<p>two')],
      'one two',
    ],
    [
      'a frameset in a frameset',
      '<frameset><frame src="a"></frameset>',
      [frame('a', '<frameset><frame src="b"></frameset>', [frame('b', 'inside')])],
      'inside',
    ],
    [
      'a frameset whose frames are missing',
      '<frameset><frame src="a"><noframes><p>No <b>frames</b></p></noframes></frameset>',
      [frame('a', null)],
      'No frames',
    ],
    [
      'a frameset whose frames are there',
      '<frameset><frame src="a"><noframes><p>No frames</noframes></frameset>',
      [frame('a', 'shown')],
      'shown',
    ],
    [
      'srcdoc, also nested',
      `<iframe srcdoc="<p>outer</p><iframe srcdoc='<p>inner'></iframe>"></iframe>`,
      [],
      'outer inner',
    ],
    [
      'a document that wins over srcdoc',
      '<iframe srcdoc="before"></iframe>',
      [frame('', 'after scripts')],
      'after scripts',
    ],
    ['an object', '<object data="a"><p>fallback</object>', [frame('a', 'shown')], 'shown'],
    ['the fallback of an object', '<object data="film.swf"><p>fallback</object>', [], 'fallback'],
    ['a data: URL', '<iframe src="data:text/html;charset=utf-8,<p>a%20b"></iframe>', [], 'a b'],
    ['a data: URL in base64', '<iframe src="data:text/html;base64,PHA+YSBi"></iframe>', [], 'a b'],
    [
      'two frames with one address',
      '<iframe src="a"></iframe><iframe src="a"></iframe>',
      [frame('a', 'x'), frame('a', 'y')],
      'x y',
    ],
    ['no hidden ones', '<p>page<iframe srcdoc="tracked" width="1" height="1"></iframe>', [], 'page'],
    [
      'a frame in a shadow root',
      '<div><template shadowrootmode="open"><iframe src="a"></iframe></template></div>',
      [frame('a', 'x')],
      'x',
    ],
  ])('%s', (_name, html, frames, expected) => {
    expect(read(html, frames).text?.replace(/\s+/g, ' ')).toBe(expected);
  });

  it('to a bounded depth', () => {
    let html = '<p>bottom</p>';
    for (let depth = 0; depth < 8; depth += 1)
      html = `<p>${depth}</p><iframe srcdoc="${html.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"></iframe>`;
    expect(read(html).text?.split(/\s+/)).toEqual(['7', '6', '5', '4', '3']);
  });

  it('that nest too deeply are left out, and do not fail the page', () => {
    const deep = `${'<div>'.repeat(2000)}bottom`;
    expect(read('<p>page</p><iframe src="a"></iframe>', [frame('a', deep)]).text).toBe('page');
  });
});

describe('a page without anything to show', () => {
  it.each([
    ['', true],
    ['<title>Title</title><script>draw()</script><style>p{}</style><div> </div>', true],
    ['<p>text', undefined],
    ['<img src="a.png">', undefined],
    ['<body><noscript>text</noscript>', undefined],
  ])('%p', (html, isEmpty) => {
    expect(read(html).isEmpty).toBe(isEmpty);
  });
});
