import type { ClaimedJob } from '../../../core/jobs/job.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { createScope } from '../../../scraping/crawl/scope.ts';
import type { HttpResponse } from '../../../scraping/http/client.ts';
import type { Politeness } from '../politeness/politeness.ts';
import { createFindSitemapUrls } from './crawl-sitemaps.ts';

const SITE = 'https://example.com';
const urlset = (...paths: string[]) =>
  `<urlset>${paths.map((path) => `<url><loc>${SITE}${path}</loc></url>`).join('')}</urlset>`;
const index = (...paths: string[]) =>
  `<sitemapindex>${paths.map((path) => `<sitemap><loc>${SITE}${path}</loc></sitemap>`).join('')}</sitemapindex>`;

/** The URLs a crawl of a site with these files finds, and the requests it makes. */
async function find(files: Record<string, string>, named: string[] = []) {
  const asked: string[] = [];
  const permit = {
    kind: 'granted',
    follow: async () => ({ kind: 'granted' }),
    [Symbol.dispose]: () => {},
  };
  const politeness = {
    acquire: async () => permit,
    sitemapsOf: async () => named,
    stop: async () => {},
  } as unknown as Politeness;
  const get = async (url: string): Promise<HttpResponse> => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    const body = Buffer.from(files[pathname] ?? 'not found');
    const status = pathname in files ? 200 : 404;
    return { url, status, headers: {}, contentType: null, body, redirects: [] };
  };
  const job = { spec: { urls: [`${SITE}/start`] } } as ClaimedJob;
  const scope = createScope([`${SITE}/start`], { sameOrigin: true });
  const findUrls = createFindSitemapUrls({ politeness, http: { get } });
  const urls = await findUrls(job, scope, new AbortController().signal, silentLogger);
  return { paths: urls.map((url) => url.slice(SITE.length)), asked };
}

test('sitemaps that robots.txt names are read, and no others are requested', async () => {
  const { paths, asked } = await find({ '/a.xml': urlset('/one') }, ['/a.xml']);
  expect(paths).toEqual(['/one']);
  expect(asked).toEqual(['/a.xml']);
});

test.each(['/sitemap.xml', '/sitemap_index.xml', '/wp-sitemap.xml'])(
  '%s is found without being named',
  async (place) => {
    const { paths, asked } = await find({ [place]: index('/b.xml'), '/b.xml': urlset('/two') });
    expect(paths).toEqual(['/two']);
    expect(asked.slice(-2)).toEqual([place, '/b.xml']);
  },
);

test('else the sitemaps that the page links are read', async () => {
  const page =
    '<html><head><link rel="stylesheet" href="/a.css"><link href="/map" rel="sitemap"></head><body></body></html>';
  const { paths, asked } = await find({ '/start': page, '/map': urlset('/three') });
  expect(paths).toEqual(['/three']);
  expect(asked.slice(-2)).toEqual(['/start', '/map']);
});

test('indexes that name each other are each read once', async () => {
  const { paths, asked } = await find({
    '/sitemap.xml': index('/sitemap.xml', '/b.xml', '/b.xml#again'),
    '/b.xml': index('/sitemap.xml', '/c.xml'),
    '/c.xml': urlset('/four', '/four'),
  });
  expect(paths).toEqual(['/four']);
  expect(asked).toEqual(['/sitemap.xml', '/b.xml', '/c.xml']);
});

test('of an index of thousands, fifty files are read', async () => {
  const names = Array.from({ length: 5000 }, (_, n) => `/${n}.xml`);
  const { asked } = await find({
    '/sitemap.xml': index(...names),
    ...Object.fromEntries(names.map((name) => [name, index(...names)])),
  });
  expect(asked).toHaveLength(50);
});
