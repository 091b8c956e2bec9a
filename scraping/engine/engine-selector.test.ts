import type { FetchedPage } from '../http/http-fetch.ts';
import { htmlSignals } from '../response/html-signals.ts';
import { browserAddedContent, knownEngine, needsBrowser } from './engine-selector.ts';
import type { RenderingType } from './rendering-type-cache.ts';

const read = async () => {
  throw new Error('not read here');
};
const answered = (
  html: string,
  fields: Partial<Extract<FetchedPage, { kind: 'answered' }>> = {},
): FetchedPage => ({
  kind: 'answered',
  url: 'https://shop.example/page',
  status: 200,
  headers: {},
  documentKind: 'html',
  html,
  read,
  ...fields,
});
const why = (page: FetchedPage) => needsBrowser(page)?.why ?? null;
const words = (count: number) => Array.from({ length: count }, (_, n) => `word${n}`).join(' ');
const page = (body: string, head = '') =>
  `<!doctype html><html><head><title>A title</title>${head}</head><body>${body}</body></html>`;

describe('a complete page', () => {
  it.each([
    ['an article', page(`<article><h1>Locks</h1><p>${words(200)}</p></article>`)],
    ['a short page without scripts', page('<h1>Hello</h1>')],
    ['an empty page without scripts', page('')],
    ['nothing at all', ''],
    [
      'a short page with a counter of visits',
      page(`<h1>Our opening hours</h1><p>${words(12)}</p><script async src="/count.js"></script>`),
    ],
    [
      'a page drawn on the server by a framework',
      page(
        `<div id="__next"><main><p>${words(60)}</p></main></div><script id="__NEXT_DATA__" type="application/json">{}</script><script src="/_next/main.js"></script>`,
      ),
    ],
    [
      'a page that works without scripts and says what it lacks',
      page(
        `<noscript>Enable JavaScript for the map.</noscript><p>${words(200)}</p><script src="/map.js"></script>`,
      ),
    ],
    [
      'an article on how to enable JavaScript',
      page(`<h1>How to enable JavaScript</h1><p>Turn on JavaScript. ${words(300)}</p>`),
    ],
    [
      'a documentation page with templates in its code',
      page(`<pre>{{ name }} {{ other }}</pre><p>${words(100)}</p>`),
    ],
    [
      'data for machines in a script',
      page(`<h1>Hi</h1><script type="application/ld+json">{"@type":"Thing"}</script>`),
    ],
    ['a refresh of itself', page(`<p>${words(40)}</p>`, '<meta http-equiv="refresh" content="60">')],
    [
      'a refresh after a long time',
      page(`<p>${words(40)}</p>`, '<meta http-equiv="refresh" content="300;url=/next">'),
    ],
    [
      'a script that goes elsewhere when something is clicked on a long page',
      page(`<p>${words(200)}</p><script>b.onclick = () => { location.href = "/x" }</script>`),
    ],
    [
      'declared shadow DOM',
      page(
        `<my-card><template shadowrootmode="open"><p>${words(60)}</p></template></my-card><script src="/c.js"></script>`,
      ),
    ],
    [
      'a cookie banner over content',
      page(`<div>Accept all cookies</div><article>${words(300)}</article><script src="/cmp.js"></script>`),
    ],
  ])('needs no browser: %s', (_name, html) => {
    expect(needsBrowser(answered(html))).toBeNull();
  });
});

describe('a script-rendered page', () => {
  it.each([
    ['an empty root', page('<div id="root"></div><script src="/app.js"></script>')],
    [
      'a root with a spinner',
      page(
        '<div id="app"><div class="spinner"><span>Loading…</span></div></div><script type="module" src="/app.js"></script>',
      ),
    ],
    [
      'an empty root between header and footer',
      page(
        `<header>${words(20)}</header><div id="app"></div><footer>${words(20)}</footer><script src="/app.js"></script>`,
      ),
    ],
    ['an element of a framework', page('<app-root></app-root><script src="/main.js"></script>')],
    [
      'Next.js without its page',
      page(
        '<div id="__next"></div><script id="__NEXT_DATA__" type="application/json">{}</script><script src="/x.js"></script>',
      ),
    ],
    ['Nuxt', page('<div id="__nuxt"></div><script>window.__NUXT__={}</script><script src="/x.js"></script>')],
    ['Gatsby', page('<div id="___gatsby"></div><script src="/x.js"></script>')],
    [
      'next to nothing but scripts',
      page('<p>Please wait</p><script src="/a.js"></script><script src="/b.js"></script>'),
    ],
    ['modules and little text', page(`<nav>${words(15)}</nav><script type="module" src="/a.js"></script>`)],
    [
      'a template left to be filled in',
      page(
        `<div ng-app="shop"><h1>{{ product.name }}</h1><p>{{price | currency}}</p><p>{{ product.text }}</p>${words(200)}</div><script src="/angular.js"></script>`,
      ),
    ],
    ['a root never closed', page('<div id="root"><script src="/app.js"></script>')],
  ])('is detected: %s', (_name, html) => {
    expect(why(answered(html))).toBe('script_drawn');
  });

  it.each([
    [
      'in noscript',
      page(
        `<noscript>You need to enable JavaScript to run this app.</noscript><div id="root2"></div><p>${words(30)}</p><script src="/a.js"></script>`,
      ),
    ],
    [
      'in its text',
      page('<p>JavaScript is disabled in your browser. Please turn it on to go on reading.</p>'),
    ],
    ['in German', page('<noscript>Bitte aktivieren Sie JavaScript.</noscript><script src="/a.js"></script>')],
    ['in French', page('<noscript>Veuillez activer JavaScript.</noscript><script src="/a.js"></script>')],
  ])('asks for JavaScript %s', (_name, html) => {
    expect(why(answered(html))).toBe('asks_for_javascript');
  });

  it('may have its route in the fragment', () => {
    const html = page(`<p>${words(300)}</p><script src="/app.js"></script>`);
    expect(why(answered(html, { url: 'https://shop.example/#!/items/3' }))).toBe('fragment_route');
    expect(why(answered(html, { url: 'https://shop.example/#items' }))).toBeNull();
  });
});

describe('a page that redirects itself', () => {
  it.each([
    ['meta', page('<p>We have moved.</p>', '<meta http-equiv="refresh" content="0; url=\'/new\'">')],
    ['meta without url=', page('<p>We have moved.</p>', '<meta content="3;/new" http-equiv=Refresh>')],
    ['location.href', page('<script>window.location.href = "/new"</script>')],
    ['location.replace', page('<p>One moment</p><script>location.replace("/new")</script>')],
    ['location =', page('<script>document.location="/new"</script>')],
  ])('by %s', (_name, html) => {
    expect(why(answered(html))).toBe('redirects_itself');
  });
});

describe('a bot check', () => {
  it.each([
    ['Cloudflare, by its header', answered('', { status: 403, headers: { 'cf-mitigated': 'challenge' } })],
    [
      'Cloudflare, by its page',
      answered('<title>Just a moment...</title><script>window._cf_chl_opt={}</script>', { status: 503 }),
    ],
    ['AWS', answered('', { status: 202, headers: { 'x-amzn-waf-action': 'challenge' } })],
    ['DataDome', answered('<script src="https://geo.captcha-delivery.com/c.js"></script>', { status: 403 })],
    ['Imperva', answered('<script src="/_Incapsula_Resource?x=1"></script>')],
    ['PerimeterX', answered('<div id="px-captcha"></div>', { status: 403 })],
    ['Anubis', answered('<script id="anubis_challenge" type="application/json">{}</script>')],
    ['DDoS-Guard', answered('<script src="/.well-known/ddos-guard/check"></script>', { status: 403 })],
  ])('is detected: %s', (_name, fetched) => {
    expect(needsBrowser(fetched)).toMatchObject({ why: 'challenge', isGuess: false, isHostWide: true });
  });

  it('is not detected if a page only contains a vendor script', () => {
    const html = page(`<p>${words(300)}</p><script src="https://js.captcha-delivery.com/tags.js"></script>`);
    expect(why(answered(html))).toBeNull();
  });

  it('may be a consent wall', () => {
    const html = page('<h1>Before you continue</h1><button>Accept all</button><script src="/c.js"></script>');
    expect(why(answered(html))).toBe('consent');
    const elsewhere = { url: 'https://consent.search.example/ml?continue=x' };
    expect(why(answered(page(`<p>${words(300)}</p>`), elsewhere))).toBe('consent');
  });

  it('may be a plain 403', () => {
    expect(needsBrowser(answered('<h1>Forbidden</h1>', { status: 403 }))).toMatchObject({
      why: 'refused',
      isGuess: true,
    });
  });
});

describe('a result that a browser would not change', () => {
  it.each([400, 401, 404, 410, 429, 500, 502, 503])('is a response of %d', (status) => {
    expect(
      needsBrowser(answered('<div id="root"></div><script src="/a.js"></script>', { status })),
    ).toBeNull();
  });

  it.each(['dns_failed', 'connection_refused', 'egress_refused', 'page_too_large', 'too_many_redirects'])(
    'is %s',
    (code) => {
      expect(needsBrowser({ kind: 'failed', error: { code, message: '' }, read })).toBeNull();
    },
  );

  it('is text, a feed or a file', () => {
    expect(needsBrowser(answered('<pre>x</pre>', { documentKind: 'text' }))).toBeNull();
    expect(needsBrowser(answered('<div id="root"></div>', { documentKind: 'feed' }))).toBeNull();
    expect(needsBrowser({ kind: 'unreadable', read })).toBeNull();
  });

  it.each(['connection_failed', 'tls_failed', 'page_timeout'])('may not be %s', (code) => {
    expect(why({ kind: 'failed', error: { code, message: '' }, read })).toBe('no_answer');
  });
});

describe('the signals of a page', () => {
  it('is its text without markup, scripts and styles', () => {
    const signals = htmlSignals(
      '<!doctype html><!-- no --><title>The &amp; title</title><style>p{}</style><p title="a > b">One&nbsp;<b>two</b></p><script>"three"</script><template>four</template><svg><text>five</text></svg> 1 < 2',
    );
    expect(signals).toMatchObject({ text: 'One two 1 < 2', textLength: 13, executableScripts: 1 });
  });

  it.each([
    '<'.repeat(300_000),
    '<!--'.repeat(100_000),
    '<p a="'.repeat(100_000),
    "<p a='b".repeat(100_000),
    '<script>'.repeat(100_000),
    '<div id=root>'.repeat(100_000),
    '</'.repeat(100_000),
    '{{'.repeat(200_000),
    `<meta http-equiv=refresh content="${' '.repeat(100_000)}">`,
    `<noscript>${'<'.repeat(100_000)}`,
  ])('is found in no time in whatever is sent: %#', (hostile) => {
    const before = process.cpuUsage();
    htmlSignals(hostile);
    const { user } = process.cpuUsage(before);
    // Linear time; quadratic time would be minutes.
    expect(user).toBeLessThan(5_000_000);
  });
});

describe('the browser added content', () => {
  const signals = (count: number) => htmlSignals(page(`<p>${words(count)}</p>`));
  it('if it gave clearly more', () => {
    expect(browserAddedContent({ before: signals(2), after: signals(100), error: null })).toBe(true);
    expect(browserAddedContent({ before: null, after: signals(10), error: null })).toBe(true);
  });
  it('and not if it gave the same, or nothing', () => {
    expect(browserAddedContent({ before: signals(20), after: signals(21), error: null })).toBe(false);
    expect(browserAddedContent({ before: signals(0), after: signals(0), error: null })).toBe(false);
    expect(browserAddedContent({ before: null, after: signals(9), error: { code: 'x', message: '' } })).toBe(
      false,
    );
  });
});

describe('the recorded engine of a host', () => {
  const HOUR = 3_600_000;
  const renderingType = (fields: Partial<RenderingType>): RenderingType => ({
    ...{ engine: 'browser', reason: 'script_drawn', streak: 2, ageMs: 0 },
    ...fields,
  });
  it.each([
    [null, null],
    [renderingType({}), 'browser'],
    // One page of a host may be a shell among many that are not.
    [renderingType({ streak: 1 }), null],
    [renderingType({ engine: 'http', streak: 1 }), 'http'],
    [renderingType({ ageMs: 2 * HOUR }), null],
    [renderingType({ ageMs: 2 * HOUR, streak: 4 }), 'browser'],
    [renderingType({ ageMs: 8 * 24 * HOUR, streak: 1000 }), null],
  ])('%j: %s', (known, engine) => {
    expect(knownEngine(known)).toBe(engine);
  });
});
