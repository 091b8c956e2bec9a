import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { pageError } from '../../../core/jobs/page-errors.ts';
import { openPageEngine } from '../../../scraping/engine/page-engine.ts';
import type { ScrapeSpec } from '../../../scraping/fetching/page.ts';
import { decodeDocument } from '../../../scraping/response/charset.ts';
import { makeDocx, wordParagraph } from '../../fixtures/files/make-office.ts';
import { makePdf } from '../../fixtures/files/make-pdf.ts';
import { encode, NOTICES, noticePage } from '../../fixtures/site/languages.ts';
import { answers, withPages } from '../../fixtures/site/pages.ts';
import { openScraper, type Scraper } from '../../fixtures/site/scraper.ts';
import { type SiteHandler, startSite } from '../../support/servers/site.ts';

const PAGE =
  '<!DOCTYPE html><html><head><title>Locks</title></head><body><h1>How locks work</h1><p>Water runs <a href="/down">down</a>.</p></body></html>';
const XHTML = PAGE.replace(
  '<!DOCTYPE html><html>',
  '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">',
);
const RSS =
  '<?xml version="1.0"?><rss version="2.0"><channel><title>Lock news</title><item><title>New gates</title><link>/gates</link><description>Of oak</description></item></channel></rss>';
const PDF = makePdf([
  [
    { text: 'Locks', x: 60, y: 780, size: 24 },
    { text: 'Water runs down.', x: 60, y: 740 },
  ],
]);
const DOCX = Buffer.from(
  makeDocx(wordParagraph('Locks', 'H1') + wordParagraph('Water runs down.'), '', { title: 'Locks' }),
);
type Reading = 'page' | 'feed' | 'source' | 'file' | 'damaged' | 'document' | 'table';
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

const served =
  (body: string | Buffer, headers: Record<string, string>): SiteHandler =>
  (_request, response) =>
    void response.writeHead(200, headers).end(body);
const typed = (type: string | null, body: string | Buffer = PAGE) =>
  served(body, type === null ? {} : { 'content-type': type });

const FORMATS: ScrapeSpec['formats'] = ['markdown', 'text', 'links'];
const WAYS = ['http', 'browser', 'auto'] as const;

/** By each engine and by `auto`. */
async function readings(own: Scraper, url: string) {
  const pages = [];
  for (const render of WAYS) pages.push((await own.scrape(url, { render, formats: FORMATS })).page);
  return pages.map(({ title, markdown, text, links, error }) => ({
    title,
    markdown,
    text,
    links,
    code: error?.code ?? null,
  }));
}

describe('the type of a response', () => {
  const CASES: Record<string, { as: Reading; handler: SiteHandler }> = {};
  const add = (as: Reading, name: string, handler: SiteHandler) => {
    CASES[name] = { as, handler };
  };
  for (const type of [
    'html',
    '*/*',
    'application/unknown',
    'unknown/unknown',
    '',
    'text/html, text/html',
    'TEXT/HTML; charset=',
    'text/html;;',
  ])
    add('page', `HTML as "${type}"`, typed(type));
  add('page', 'HTML without a type', typed(null));
  add('page', 'HTML behind white space without a type', typed(null, `\r\n\t ${PAGE}`));
  for (const type of ['application/xhtml+xml', 'text/xml', 'application/xml']) {
    add('page', `XHTML as ${type}`, typed(type, XHTML));
    add('page', `HTML as ${type}`, typed(type));
  }
  for (const type of [
    'application/rss+xml',
    'text/xml',
    'application/xml',
    'text/html',
    'application/unknown',
  ])
    add('feed', `a feed as ${type}`, typed(type, RSS));
  for (const type of ['text/plain', 'text/css', 'text/x-anything', 'application/javascript'])
    add('source', `HTML as ${type}`, typed(type));
  add('source', 'HTML that is not to be sniffed', served(PAGE, { 'x-content-type-options': 'nosniff' }));
  add('source', 'words without a type', typed(null, 'Water runs down.'));
  add(
    'source',
    'SVG',
    typed('image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"><text>Locks</text></svg>'),
  );
  for (const type of ['application/json', 'text/json', 'application/ld+json', 'application/problem+json'])
    add('source', `JSON as ${type}`, typed(type, '{"depth":10.00,"id":1234567890123456789}'));
  for (const type of ['application/octet-stream', 'application/x-anything', 'application/vnd.anything'])
    add('file', `HTML as ${type}`, typed(type));
  for (const type of [null, '*/*', 'text/plain', 'text/html', 'image/png'])
    add('damaged', `a picture as ${type}`, typed(type, PNG));
  add('damaged', 'a PDF as HTML', typed('text/html', '%PDF-1.7 1 0 obj'));
  add('damaged', 'a PDF without a type', typed(null, '%PDF-1.7 1 0 obj'));
  for (const type of ['application/pdf', 'application/octet-stream', 'text/html', null])
    add('document', `a PDF as ${type}`, typed(type, PDF));
  add(
    'document',
    'a PDF as attachment',
    served(PDF, { 'content-type': 'application/pdf', 'content-disposition': 'attachment; filename=a.pdf' }),
  );
  for (const type of [
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/zip',
  ])
    add('document', `a DOCX as ${type}`, typed(type, DOCX));
  add('table', 'a CSV', typed('text/csv', 'Lock;Depth\nUpper;3,5\n'));
  add(
    'table',
    'a CSV as attachment of no type',
    served('Lock;Depth\nUpper;3,5\n', {
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="depths.csv"',
    }),
  );

  it('is the same in both engines, whatever its server names it', async () => {
    const paths = new Map(Object.keys(CASES).map((name, index) => [name, `/${index}`]));
    const pages = Object.fromEntries(
      Object.entries(CASES).map(([name, { handler }]) => [paths.get(name) ?? '', handler]),
    );
    await withPages(pages, async (url, own) => {
      for (const [name, { as }] of Object.entries(CASES)) {
        const [plain, drawn, either] = await readings(own, `${url}${paths.get(name)}`);
        expect({ name, ...drawn }).toEqual({ name, ...plain });
        expect({ name, ...either }).toEqual({ name, ...plain });
        const expected = {
          page: {
            title: 'Locks',
            code: null,
            markdown: expect.stringContaining('# How locks work'),
            links: [{ url: `${url}/down`, text: 'down', kind: 'internal' }],
          },
          feed: {
            title: 'Lock news',
            code: null,
            markdown: expect.stringContaining(`## [New gates](${url}/gates)`),
          },
          source: { code: null, markdown: expect.stringMatching(/^```/) },
          file: { code: 'unsupported_content' },
          damaged: { code: 'file_unreadable' },
          document: { code: null, title: 'Locks', markdown: '# Locks\n\nWater runs down.' },
          table: { code: null, markdown: '| Lock | Depth |\n| --- | --- |\n| Upper | 3,5 |' },
        }[as];
        expect({ name, ...plain }).toMatchObject({ name, ...expected });
      }
    });
  });

  it('is Markdown if its server names it so: as written, with links and the title from its first heading', async () => {
    const source =
      '# Locks & weirs\n\n> A guide.\n\n- [Gates](/gates.md): of oak\n- https://example.com/pumps\n';
    await withPages({ '/llms.txt': typed('text/markdown; charset=utf-8', source) }, async (url, own) => {
      for (const reading of await readings(own, `${url}/llms.txt`)) {
        expect(reading).toMatchObject({
          ...{ title: 'Locks & weirs', code: null, markdown: source.trim() },
          links: [
            { url: `${url}/gates.md`, text: 'Gates', kind: 'internal' },
            { url: 'https://example.com/pumps', text: 'https://example.com/pumps', kind: 'external' },
          ],
        });
      }
    });
  });

  it('is an HTTP error rather than unsupported content', async () => {
    const missing = answers(PNG, { 'content-type': 'image/png' }, 404);
    await withPages({ '/missing': missing }, async (url, own) => {
      for (const { code } of await readings(own, `${url}/missing`)) expect(code).toBe('http_client_error');
    });
  });
});

describe('a file', () => {
  const picture = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );

  it('is fetched with the cookies that the browser has, and has what a browser can make of it', async () => {
    const pages: Record<string, SiteHandler> = {
      '/login': (_request, response) =>
        void response.writeHead(302, { location: '/list.pdf', 'set-cookie': 'key=1; Path=/' }).end(),
      '/list.pdf': (request, response) => {
        const isKnown = request.headers.cookie === 'key=1';
        response
          .writeHead(isKnown ? 200 : 403, { 'content-type': 'application/pdf' })
          .end(isKnown ? PDF : '');
      },
      '/picture.png': typed('image/png', picture),
    };
    await withPages(pages, async (url, own) => {
      const list = await own.scrape(`${url}/login`, { formats: ['text', 'pdf'] });
      expect(list).toMatchObject({
        page: { url: `${url}/login`, final_url: `${url}/list.pdf`, title: 'Locks', error: null },
        artifacts: [{ kind: 'pdf', contentType: 'application/pdf', body: PDF }],
      });
      const shown = await own.scrape(`${url}/picture.png`, { formats: ['metadata', 'screenshot'] });
      expect(shown).toMatchObject({
        page: { metadata: { width: 1, height: 1, format: 'png' }, error: null },
        artifacts: [{ kind: 'screenshot', contentType: 'image/png' }],
      });
      const undone = await own.scrape(`${url}/login`, { formats: ['text', 'screenshot'] });
      expect(undone.page).toMatchObject({
        text: expect.stringContaining('Water'),
        error: { code: 'unsupported_content' },
      });
    });
  });
});

describe('a compressed page', () => {
  const body = Buffer.from(PAGE);
  const zstd = Buffer.from(
    'KLUv/QRYbQMAksYWG3Br2jOosztotYSSm0cIz/TCB4ngtiVrVv9hBle18s5/zsdzglY9gVwiYCQoDW0BB9rI1BQdyFi0hj++kueHw+zhSvqRZhfn8/Kkq7H8BpOvaqUVEoplgCAAHAUAUsK8gPB0DoxlKMnKEorOukg=',
    'base64',
  );
  const packed: [string, string | null, Buffer][] = [
    ...['UTF-8', 'none', 'binary', 'aws-chunked', 'identity', ''].map((name): [string, string, Buffer] => [
      `not at all, as "${name}"`,
      name,
      body,
    ]),
    ['twice', 'gzip, gzip', gzipSync(gzipSync(body))],
    ['twice, and it is said once', 'gzip', gzipSync(gzipSync(body))],
    ['and it is not said', null, gzipSync(body)],
    ['as "gzip, none"', 'gzip, none', gzipSync(body)],
    ['as "aws-chunked,gzip"', 'aws-chunked,gzip', gzipSync(body)],
    ['as X-GZIP', 'X-GZIP', gzipSync(body)],
    ['as deflate', 'deflate', deflateSync(body)],
    ['as deflate, raw', 'deflate', deflateRawSync(body)],
    ['as br', 'BR', brotliCompressSync(body)],
    ['as what it is not: gzip', 'gzip', deflateSync(body)],
    ['as what it is not: deflate', 'deflate', gzipSync(body)],
    ['as zstd', 'zstd', zstd],
    ['not at all, as gzip', 'gzip', body],
    ['not at all, as deflate', 'deflate', body],
    ['not at all, as br', 'br', body],
  ];

  it('is read however it is compressed, and a browser that cannot decode it fails', async () => {
    const pages = Object.fromEntries(
      packed.map(([, name, content], index) => [
        `/${index}`,
        served(content, {
          'content-type': 'text/html',
          ...(name === null ? {} : { 'content-encoding': name }),
        }),
      ]),
    );
    await withPages(pages, async (url, own) => {
      for (const [index, [how]] of packed.entries()) {
        const [plain, drawn, either] = await readings(own, `${url}/${index}`);
        expect({ how, ...plain }).toMatchObject({
          how,
          code: null,
          markdown: expect.stringMatching(/^# \w+/),
        });
        expect({ how, ...either }).toEqual({ how, ...plain });
        if (drawn?.code === null) expect({ how, ...drawn }).toEqual({ how, ...plain });
        else expect({ how, code: drawn?.code }).toEqual({ how, code: 'connection_failed' });
      }
    });
  });

  it('that cannot be decoded fails, and `auto` tries the browser', async () => {
    const broken = served(Buffer.concat([gzipSync(body).subarray(0, 12), Buffer.alloc(40, 7)]), {
      'content-type': 'text/html',
      'content-encoding': 'gzip',
    });
    await withPages({ '/broken': broken }, async (url, own) => {
      const { page } = await own.scrape(`${url}/broken`, { render: 'http' });
      expect(page.error).toEqual({
        code: 'connection_failed',
        message: 'the answer is not in the encoding it claims: gzip',
      });
      expect((await own.scrape(`${url}/broken`, { render: 'auto' })).page.engine).toBe('browser');
    });
  });
});

describe('a page with a refresh', () => {
  const refreshing = (value: string, body = '<p>We have moved.</p>', headers = {}) =>
    answers(body, { refresh: value, ...headers });

  it('is followed, by its header or its markup and in every engine', async () => {
    const pages: Record<string, string | SiteHandler> = {
      '/new': PAGE,
      '/new?a=1&b=2': PAGE,
      ...Object.fromEntries(
        [
          '0;url=/new',
          "5; URL='/new'",
          '0, url="/new"',
          '  1 ;  Url  =  /new',
          '0;/new',
          '0 url=/new',
          '.5;url=/new',
          '0; url="/new" ignored',
        ].map((value, index) => [`/header-${index}`, refreshing(value)]),
      ),
      '/markup': '<meta http-equiv="refresh" content="0;url=/new?a=1&amp;b=2"><p>We have moved.</p>',
      '/markup-5': '<meta http-equiv=refresh content="5; URL=\'new\'"><base href="/"><p>We have moved.</p>',
      '/drawn': refreshing('0;url=/new', '<p>We have moved.</p><script>document.title = "x"</script>'),
      '/chain': refreshing('0;url=/header-0'),
    };
    await withPages(pages, async (url, own) => {
      for (const path of Object.keys(pages).filter((each) => !each.startsWith('/new'))) {
        for (const render of WAYS) {
          const { page } = await own.scrape(`${url}${path}`, { render, formats: FORMATS });
          expect({
            path,
            render,
            final: page.final_url?.replace(/\?.*/, ''),
            title: page.title,
            error: page.error,
          }).toEqual({
            ...{ path, render, final: `${url}/new`, title: 'Locks', error: null },
          });
        }
      }
    });
  });

  it('stays as it is if the target is itself, missing or not http(s), or the delay is long', async () => {
    const values = [
      '60;url=/new',
      '0',
      '0;',
      '0;url=',
      'url=/new',
      '0x;url=/new',
      '0;url=mailto:a@b.example',
      '0;url=#below',
      '2;url=/stays-1',
    ];
    const pages = Object.fromEntries(values.map((value, index) => [`/stays-${index}`, refreshing(value)]));
    pages['/stays-8'] = refreshing('2;url=/stays-8');
    await withPages({ ...pages, '/new': PAGE }, async (url, own) => {
      for (const [index, value] of values.entries()) {
        for (const render of WAYS) {
          const { page } = await own.scrape(`${url}/stays-${index}`, { render, formats: ['text'] });
          expect({
            value,
            render,
            text: page.text,
            final: page.final_url?.replace(/#.*/, ''),
            error: page.error,
          }).toEqual({
            ...{ value, render, text: 'We have moved.', final: `${url}/stays-${index}`, error: null },
          });
        }
      }
    });
  });

  it('is followed only if the permit allows the target', async () => {
    await withPages({ '/old': refreshing('0;url=/new'), '/new': PAGE }, async (url, own, site) => {
      for (const render of WAYS) {
        const asked: string[] = [];
        const job = openPageEngine(
          { render },
          { ...own.context, signal: new AbortController().signal, pageTimeoutMs: 20_000, maxPageBytes: 1e7 },
        );
        const { page } = await job.scrape(`${url}/old`, {
          follow: async (next) => {
            asked.push(next);
            return { kind: 'disallowed', error: pageError('robots_disallowed') };
          },
        });
        await job.close();
        expect({ render, asked, error: page.error?.code }).toEqual({
          render,
          asked: [`${url}/new`],
          error: 'robots_disallowed',
        });
      }
      expect(site.requests.filter((path) => path === '/new')).toEqual([]);
    });
  });

  it('sends no headers of the job to another site, and reaches no blocked address', async () => {
    const heard: (string | undefined)[] = [];
    const other = await startSite({
      pages: {
        '/new': (request, response) => {
          heard.push(String(request.headers['x-key']));
          response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
        },
      },
    });
    const site = await startSite({ pages: { '/old': refreshing(`0;url=${other.url}/new`) } });
    const trusting = openScraper({ allow: [site.authority, other.authority] });
    const guarded = openScraper({ allow: [site.authority] });
    try {
      for (const render of WAYS) {
        const { page } = await trusting.scrape(`${site.url}/old`, { render, headers: { 'X-Key': 'secret' } });
        expect({ render, final: page.final_url }).toEqual({ render, final: `${other.url}/new` });
        const refused = await guarded.scrape(`${site.url}/old`, { render });
        expect({ render, code: refused.page.error?.code }).toEqual({ render, code: 'egress_refused' });
      }
      expect(heard).toEqual(['undefined', 'undefined', 'undefined']);
    } finally {
      await Promise.all([trusting.stop(), guarded.stop()]);
      await Promise.all([site.close(), other.close()]);
    }
  });

  it('in a loop ends', async () => {
    await withPages({ '/a': refreshing('0;url=/b'), '/b': refreshing('0;url=/a') }, async (url, own) => {
      for (const render of ['http', 'browser'] as const) {
        expect((await own.scrape(`${url}/a`, { render })).page.error?.code).toBe('too_many_redirects');
      }
    });
  });
});

describe('characters', () => {
  it('of pages without a declared encoding are decoded correctly, even if the browser guesses wrong', async () => {
    const notices = NOTICES.flatMap((notice) => notice.encodings.map((encoding) => ({ notice, encoding })));
    const pages = Object.fromEntries(
      notices.map(({ notice, encoding }, index) => [
        `/${index}`,
        answers(encode(noticePage(notice, false), encoding)),
      ]),
    );
    await withPages(pages, async (url, own) => {
      let agreed = 0;
      for (const [index, { notice, encoding }] of notices.entries()) {
        const spec: ScrapeSpec = { formats: ['text', 'metadata'] };
        const plain = (await own.scrape(`${url}/${index}`, { render: 'http', ...spec })).page;
        const drawn = (await own.scrape(`${url}/${index}`, { render: 'browser', ...spec })).page;
        expect({ encoding, text: plain.text?.normalize() }).toEqual({
          encoding,
          text: expect.stringContaining(notice.text.normalize()),
        });
        if (drawn.text === plain.text) agreed += 1;
      }
      // Chromium guesses another encoding for some of them, never for most.
      expect(agreed).toBeGreaterThan(notices.length / 2);
    });
  });

  it.each([
    'euc-kr',
    'big5',
    'shift_jis',
    'euc-jp',
    'gbk',
    'gb18030',
    'koi8-u',
    'windows-1252',
    'windows-1255',
    'windows-874',
  ])('of two bytes in %s are the same as in the browser', async (label) => {
    const script = `const pairs = []; for (let a = 0x80; a < 0xff; a += 1) for (let b = 0x40; b < 0xff; b += 1) pairs.push(a, b, 10);
        const text = new TextDecoder('${label}').decode(new Uint8Array(pairs));
        document.body.textContent = Array.from(text, (letter) => letter.codePointAt(0).toString(16)).join(' ');`;
    const pairs: number[] = [];
    for (let a = 0x80; a < 0xff; a += 1) for (let b = 0x40; b < 0xff; b += 1) pairs.push(a, b, 10);
    await withPages({ '/': `<body><script>${script}</script>` }, async (url, own) => {
      const { page } = await own.scrape(url, { render: 'browser', formats: ['text'] });
      const { text } = decodeDocument(Buffer.from(pairs), `text/html; charset=${label}`, url);
      const ours = Array.from(text, (letter) => letter.codePointAt(0)?.toString(16)).join(' ');
      expect(linesOf(ours)).toEqual(linesOf(page.text ?? ''));
    });
  });
});

/** One line per pair. Chromium composes four of Big5 wrongly, and does not know the space of EUC-JP here. */
const linesOf = (codes: string): string[] =>
  ` ${codes} `
    .split(' a ')
    .map((line) => line.trim())
    .filter((line, index) => !/\b(304|30c|df04|df0c)\b/.test(line) && index !== EUC_JP_SPACE);

const EUC_JP_SPACE = (0xa1 - 0x80) * (0xff - 0x40) + (0xa1 - 0x40);
