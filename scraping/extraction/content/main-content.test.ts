import { type ExtractInput, extract } from '../extract.ts';

const INPUT: Omit<ExtractInput, 'html'> = {
  url: 'https://site.example/dir/page.html',
  title: 'T',
  charset: 'UTF-8',
  formats: ['text'],
  mainContent: true,
};
const text = (body: string) =>
  extract({
    ...INPUT,
    html: `<!doctype html><html><head><title>T</title></head><body>${body}</body></html>`,
  }).text;

describe('main content', () => {
  const sentence =
    'A sentence that is long enough to be what this page is about, with some more words in it. ';
  const long = `<p>${sentence.repeat(4)}</p>`;

  it.each([
    ['navigation', `<nav><a href="/a">CLUTTER</a></nav>${long}`],
    ['a menu by its class', `<div class="main-menu"><a href="/a">CLUTTER</a></div>${long}`],
    ['a role', `<div role="navigation">CLUTTER</div>${long}`],
    ['a page footer', `${long}<footer>CLUTTER</footer>`],
    ['a cookie notice', `<div id="cookie-consent">CLUTTER</div>${long}`],
    [
      'hidden elements',
      `${long}<p hidden>CLUTTER</p><p style="display: none">CLUTTER</p><p aria-hidden="true">CLUTTER. ${sentence.repeat(2)}</p>`,
    ],
    ['text beside main', `<div>CLUTTER</div><main>${long}</main>`],
    [
      'scripts and styles',
      `${long}<script>CLUTTER</script><style>CLUTTER</style><noscript>CLUTTER</noscript>`,
    ],
  ])('is without %s', (_name, html) => {
    expect(text(html)).toBe(sentence.repeat(4).trim());
  });

  it.each([
    [
      'the header of an article',
      `<article><header><h1>The lock keepers KEPT their canal</h1></header>${long}</article>`,
    ],
    [
      'several articles',
      `<article><h2>One</h2><p>${sentence} KEPT</p></article><article><h2>Two</h2>${long}</article>`,
    ],
    [
      'hidden prose that a click unfolds',
      `<main>${long}<h2>When is the lock open?</h2><div hidden><p>The keeper works the gates from April until October. On Sundays boats pass before noon only, and the upper gate is KEPT shut at night.</p></div><h2>What does it cost?</h2><p>Boats under ten metres pass without a fee, and larger ones pay at the office beside the weir.</p></main>`,
    ],
    [
      'text in noscript, if there is no other',
      `<div id="app">Loading</div><noscript><main><p>KEPT ${sentence}</p>${long}</main></noscript>`,
    ],
    [
      'a page that is a list of links',
      '<ul class="menu"><li><a href="/a">KEPT</a></li><li><a href="/b">b</a></li></ul>',
    ],
    ['a main that is nearly empty', `<main></main><p>KEPT</p>${long}`],
    ['a menu that holds the page', `<div class="navigation"><main><p>KEPT</p>${long}</main></div>`],
  ])('keeps %s', (_name, html) => {
    expect(text(html)).toContain('KEPT');
  });

  it('keeps one copy of a text repeated for small and large screens', () => {
    const repeated = 'The lock keeper opens the upper gate at eight and shuts it again at dusk.';
    const html = `<main>${long}<div class="desktop"><p>${repeated}</p></div><div class="mobile"><p>${repeated}</p></div>${long}</main>`;
    expect(text(html)?.split(repeated)).toHaveLength(2);
  });

  const line = 'gate open upper at eight then shut it again at dusk';
  it.each([
    ['cells', line, `<table><tr><td>a</td><td>${line}</td></tr><tr><td>b</td><td>${line}</td></tr></table>`],
    ['lines of code', line, `<pre>${line}</pre><p>Then, once more:</p><pre>${line}</pre>`],
    ['short texts', 'Open daily', '<h2>Lock</h2><p>Open daily</p><h2>Weir</h2><p>Open daily</p>'],
  ])('keeps repeated %s', (_name, part, html) => {
    expect(text(`<main>${long}${html}</main>`)?.split(part)).toHaveLength(3);
  });

  it('keeps the heading that repeats the title, even in a page header', () => {
    const html = `<html><head><title>The page | Site</title></head><body><header><h1>The page</h1></header><main>${long}</main></body></html>`;
    expect(extract({ ...INPUT, html, formats: ['markdown'] }).markdown).toMatch(/^# The page\n\n/);
  });
});
