import { describe, expect, it } from '@jest/globals';
import { fetchFrames } from './http-frames.ts';

/** Fetches frames of a page from these documents, by path. */
async function framesOf(html: string, documents: Record<string, string>, maxChars = 10_000) {
  const asked: string[] = [];
  const page = { html, url: 'https://site.example/page' };
  const { frames, missing } = await fetchFrames(page, maxChars, async (url) => {
    asked.push(url);
    const { pathname } = new URL(url);
    const found = documents[pathname];
    return found === undefined ? null : { url, html: found };
  });
  return { asked: asked.map((url) => new URL(url).pathname), frames, missing };
}

const iframes = (...sources: string[]) => sources.map((src) => `<iframe src="${src}"></iframe>`).join('');

describe('frames by plain HTTP', () => {
  it("are those of the page's origin, also nested", async () => {
    const { asked, frames, missing } = await framesOf(
      `<base href="/dir/">${iframes('a?x=1&amp;y=2', '/b#top')}<frame src=c><object data="d" type="text/html"></object>`,
      { '/dir/a': iframes('/deep'), '/b': 'B', '/dir/c': 'C', '/dir/d': 'D', '/deep': 'deep' },
    );
    expect(asked.sort()).toEqual(['/b', '/deep', '/dir/a', '/dir/c', '/dir/d']);
    expect(frames.map(({ src }) => src)).toEqual(['a?x=1&y=2', '/b#top', 'c', 'd']);
    expect(frames[0]?.frames).toEqual([
      { src: '/deep', url: 'https://site.example/deep', html: 'deep', frames: [] },
    ]);
    expect(missing).toBe(0);
  });

  it.each<[string, string, Record<string, string>, string[], number]>([
    [
      'other origins count as missing if the page has little else',
      iframes('https://other.example/'),
      {},
      [],
      1,
    ],
    [
      'other origins do not count beside text',
      `${'word '.repeat(200)}${iframes('https://films.example/')}`,
      {},
      [],
      0,
    ],
    ['frames that fail are missing', iframes('/gone'), {}, ['/gone'], 1],
    ['a page is not shown in itself', iframes('/page'), {}, [], 0],
    ['nor in its frames', iframes('/a'), { '/a': iframes('/page', '/a') }, ['/a'], 0],
    [
      'what cannot be seen is not fetched',
      '<iframe hidden src=/a></iframe><iframe width=1 src=/b></iframe><iframe style="display: none" src=/c></iframe>',
      {},
      [],
      0,
    ],
    ['srcdoc wins over src', '<iframe srcdoc="x" src="/a"></iframe>', {}, [], 0],
    [
      'schemes that are not fetched',
      iframes('about:blank', 'javascript:0', 'data:text/html,x', 'mailto:x'),
      {},
      [],
      0,
    ],
    ['an object of another type', '<object data=/a type=application/pdf></object><embed src=/b>', {}, [], 0],
    ['a larger frame than is left', iframes('/a'), { '/a': 'x'.repeat(10_001) }, ['/a'], 1],
  ])('%s', async (_name, html, documents, expected, missing) => {
    const result = await framesOf(html, documents);
    expect(result.asked).toEqual(expected);
    expect(result.missing).toBe(missing);
  });

  it('are bounded in number', async () => {
    const many = iframes(...Array.from({ length: 30 }, (_, number) => `/${number}`));
    const documents = Object.fromEntries(Array.from({ length: 30 }, (_, number) => [`/${number}`, many]));
    const { asked, missing } = await framesOf(many, documents, 10_000_000);
    expect(asked).toHaveLength(10);
    expect(missing).toBeGreaterThan(10);
  });

  it('are bounded in depth', async () => {
    const documents = Object.fromEntries(
      Array.from({ length: 9 }, (_, depth) => [`/${depth}`, iframes(`/${depth + 1}`)]),
    );
    expect((await framesOf(iframes('/0'), documents)).asked).toEqual(['/0', '/1', '/2', '/3']);
  });

  it('are read from hostile markup in linear time', () => {
    const hostile = [
      `<iframe ${'width= '.repeat(50_000)}>`,
      `<iframe ${'style="'.repeat(50_000)}`,
      `<iframe width=${' '.repeat(300_000)}x>`,
      '<iframe src=/x>'.repeat(30_000),
    ];
    return Promise.all(hostile.map((html) => expect(framesOf(html, {})).resolves.toBeDefined()));
  });
});
