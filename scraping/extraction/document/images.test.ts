import { extract } from '../extract.ts';

const read = (body: string) =>
  extract({
    html: `<!doctype html><html><head><title>T</title></head><body><p>Text</p>${body}</body></html>`,
    url: 'https://site.example/dir/page.html',
    title: 'T',
    charset: 'UTF-8',
    formats: ['markdown', 'html'],
    mainContent: true,
  });
const images = (body: string): string[] =>
  Array.from((read(body).markdown ?? '').matchAll(/!\[[^\]]*\]\(([^)]*)\)/g), ([, url = '']) => url);

const PIXEL = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
const SITE = 'https://site.example';

describe('srcset', () => {
  it.each([
    ['commas in a URL', '/w_300,h_200/a.jpg 300w, /w_1300,h_900/a.jpg 1300w', '/w_1300,h_900/a.jpg'],
    ['commas in a query', '/a.jpg?fit=300,200 1x, /a.jpg?fit=600,400 2x', '/a.jpg?fit=300,200'],
    ['a data: URL before the image', `${PIXEL} 1w, /a.jpg 900w`, '/a.jpg'],
    ['no blank after a comma', '/a.jpg 1x,/b.jpg 2x', '/a.jpg'],
    ['one URL', '/a.jpg', '/a.jpg'],
    ['a final comma', '/a.jpg, ', '/a.jpg'],
    ['the best width for the window', '/s.jpg 320w, /m.jpg 1280w, /l.jpg 2560w', '/m.jpg'],
    ['only small widths', '/s.jpg 320w, /m.jpg 640w', '/m.jpg'],
    ['densities without 1x', '/l.jpg 3x, /m.jpg 2x', '/m.jpg'],
    ['line breaks', '\n /s.jpg 320w,\n /m.jpg 1400w\n', '/m.jpg'],
  ])('with %s', (_name, srcset, expected) => {
    expect(images(`<img srcset="${srcset}">`)).toEqual([SITE + expected]);
  });

  it.each([
    ['(max-width: 600px) 100vw, 640px', '/m.jpg'],
    ['(min-width: 1000px) 300px, 100vw', '/s.jpg'],
    ['25vw', '/s.jpg'],
    ['auto', '/l.jpg'],
  ])('with sizes %s', (sizes, expected) => {
    expect(images(`<img sizes="${sizes}" srcset="/s.jpg 320w, /m.jpg 640w, /l.jpg 1280w">`)).toEqual([
      SITE + expected,
    ]);
  });

  it('of a picture: the first source that fits', () => {
    expect(
      images(
        '<picture><source media="(max-width: 700px)" srcset="/phone.webp"><source srcset="/a,b.webp 1x, /c.webp 2x"><img alt="x"></picture>',
      ),
    ).toEqual([`${SITE}/a,b.webp`]);
  });

  it('is absolute in html', () => {
    expect(
      read('<picture><source srcset="/a,b.webp 1x, c.webp 2x"><img src="d.jpg"></picture>').html,
    ).toContain(`<source srcset="${SITE}/a,b.webp, ${SITE}/dir/c.webp 2x"><img src="${SITE}/dir/d.jpg">`);
  });
});

describe('a lazy image', () => {
  it.each([
    ['an empty src', '<img src="" data-src="/a.jpg">'],
    ['a fragment', '<img src="#" data-src="/a.jpg">'],
    ['no src', '<img data-lazy-src="/a.jpg">'],
    ['a data: URL', `<img src="${PIXEL}" data-original="/a.jpg">`],
    ['about:blank', '<img src="about:blank" data-lazy="/a.jpg">'],
    ['a spacer', '<img src="/img/spacer.gif" data-src="/a.jpg">'],
    ['a transparent pixel', '<img src="/1x1.png?v=2" data-echo="/a.jpg">'],
    ['a placeholder', '<img src="/static/lazy-placeholder.svg" data-actualsrc="/a.jpg">'],
    ['a low quality copy', '<img class="lazyload blur" src="/a-20x20.jpg" data-src="/a.jpg">'],
    ['a spacer and a srcset', '<img src="/blank.gif" data-srcset="/a.jpg 1300w, /b.jpg 2600w">'],
    ['Cloudflare', `<img src="${PIXEL}" data-cfsrc="/a.jpg">`],
    ['an unknown attribute', '<img src="/spacer.gif" data-my-photo="/a.jpg">'],
    ['JSON', `<img src="" data-image='{"src":"https://site.example/a.jpg","w":3}'>`],
    [
      'a width to fill in',
      '<img src="" data-src="/a_{width}.jpg" data-widths="[180, 540, 2048]">',
      '/a_540.jpg',
    ],
    ['a noscript copy', `<img src="${PIXEL}"><noscript><img src="/a.jpg"></noscript>`],
    ['a noscript copy before it', `<div><noscript><img src="/a.jpg"></noscript><img src="${PIXEL}"></div>`],
    [
      'a box and a noscript copy',
      '<div><div class="box"></div><noscript><img src="/a.jpg"></noscript></div>',
    ],
    ['AMP', '<amp-img src="/a.jpg" width="3" height="2"></amp-img>'],
    ['a picture of lazy sources', `<picture><source data-srcset="/a.jpg 1x"><img src="${PIXEL}"></picture>`],
  ])('with %s', (_name, html, expected = '/a.jpg') => {
    expect(images(html)).toEqual([SITE + expected]);
  });

  it('with the same placeholder as others', () => {
    expect(images('<img src="/x.png" data-src="/a.jpg"><img src="/x.png" data-src="/b.jpg">')).toEqual([
      `${SITE}/a.jpg`,
      `${SITE}/b.jpg`,
    ]);
  });

  it.each([
    ['an empty src and nothing else', '<img src="" alt="x">', []],
    ['a fragment and nothing else', '<img src="#" alt="x">', []],
    ['a real src', '<img src="/a.jpg" data-fallback="/b.jpg" data-placeholder="/c.jpg">', [`${SITE}/a.jpg`]],
    ['a tracking pixel in noscript', '<noscript><img src="/t.gif" width="1" height="1"></noscript>', []],
    [
      'a tracker after its script',
      '<div><script></script><noscript><img src="https://t.example/tr?id=1"></noscript></div>',
      [],
    ],
  ])('is not invented from %s', (_name, html, expected) => {
    expect(images(html)).toEqual(expected);
  });
});
