import { Frontier } from './frontier.ts';
import { createScope } from './scope.ts';

const at = (path: string) => `https://example.com${path}`;
const create = (options: { maxDepth?: number; maxKnown?: number } = {}) =>
  new Frontier({
    scope: createScope([at('/')], { sameOrigin: true }),
    maxDepth: 10,
    maxKnown: 1000,
    ...options,
  });

const links = (...urls: string[]) => urls.map((url) => ({ url }));

test('gives each URL once, breadth first', () => {
  const frontier = create();
  const seed = frontier.addSeed(at('/'));
  expect(frontier.take()).toBe(seed);
  frontier.addLinks(links(at('/a'), at('/b'), at('/a#x'), at('/')), seed);
  const a = frontier.take();
  expect(a).toMatchObject({ url: at('/a'), depth: 1, position: 1 });
  frontier.addLinks(links(at('/a/deep'), at('/b'), 'https://elsewhere.example/'), a);
  expect(frontier.take()?.url).toBe(at('/b'));
  expect(frontier.take()).toMatchObject({ url: at('/a/deep'), depth: 2, position: 3 });
  expect(frontier.take()).toBeNull();
});

test('stops at its maximum depth and maximum number of URLs', () => {
  const shallow = create({ maxDepth: 0 });
  expect(shallow.addLinks(links(at('/a')), shallow.addSeed(at('/')))).toEqual([]);
  const small = create({ maxKnown: 3 });
  expect(small.addLinks(links(at('/a'), at('/b'), at('/c')), small.addSeed(at('/')))).toHaveLength(2);
});

test('counts each URL that it refused once, by reason', () => {
  const shallow = create({ maxDepth: 1 });
  const seed = shallow.addSeed(at('/'));
  const [page] = shallow.addLinks(links(at('/a'), at('/x/x/x/x'), 'https://elsewhere.example/'), seed);
  if (!page) throw new Error('nothing was found');
  shallow.addLinks(links(at('/b'), at('/b#top'), at('/c'), at('/')), page);
  expect(shallow.refusals).toEqual({ too_deep: 2, trap: 1, too_many: 0 });
  // From here it is not too deep.
  shallow.addLinks(links(at('/b')), seed);
  expect(shallow.refusals).toEqual({ too_deep: 1, trap: 1, too_many: 0 });
  const small = create({ maxKnown: 2 });
  small.addLinks(links(at('/a'), at('/b'), at('/c')), small.addSeed(at('/')));
  expect(small.refusals).toEqual({ too_deep: 0, trap: 0, too_many: 2 });
});

test('continues from stored entries', () => {
  const frontier = create();
  const entry = (position: number, path: string) => ({
    position,
    url: at(path),
    depth: 1,
    patternDepth: 0,
    tries: 0,
    title: null,
  });
  frontier.restore(entry(0, '/'), 'done', 'hash');
  frontier.restore(entry(1, '/a'), 'waiting', null);
  frontier.restore(entry(2, '/b'), 'disallowed', null);
  expect(frontier.waiting).toBe(1);
  expect(frontier.isKnownContent('hash')).toBe(true);
  expect(frontier.addLinks(links(at('/b'), at('/c')), null)).toMatchObject([{ position: 3, url: at('/c') }]);
  expect([frontier.take()?.url, frontier.take()?.url, frontier.take()]).toEqual([at('/a'), at('/c'), null]);
});

test('skips paused hosts and returns to them later', () => {
  const frontier = create();
  frontier.addSeed(at('/'));
  expect(frontier.take(new Set(['example.com']))).toBeNull();
  expect(frontier.waiting).toBe(1);
  expect(frontier.take()?.url).toBe(at('/'));
});

test('a redirect to a known page needs no second fetch', () => {
  const frontier = create();
  const seed = frontier.addSeed(at('/'));
  frontier.addLinks(links(at('/old'), at('/new'), at('/older')), seed);
  frontier.take();
  const old = frontier.take();
  if (!old) throw new Error('nothing waits');
  expect(frontier.arriveAt(old, at('/new'))).toMatchObject({ url: at('/new') });
  const older = frontier.take();
  expect(older?.url).toBe(at('/older'));
  if (older) expect(frontier.arriveAt(older, at('/'))).toBe(true);
  expect(frontier.take()).toBeNull();
});

test('the same content under another URL is known', () => {
  const frontier = create();
  expect([frontier.isKnownContent('x'), frontier.isKnownContent('x'), frontier.isKnownContent(null)]).toEqual(
    [false, true, false],
  );
});

test('hosts of one depth are served round robin, and a paused host does not block the others', () => {
  const frontier = new Frontier({
    scope: createScope([at('/')], { sameOrigin: false }),
    ...{ maxDepth: 10, maxKnown: 1000 },
  });
  const on = (host: string, ...paths: string[]) =>
    links(...paths.map((path) => `https://${host}.example.com${path}`));
  frontier.addLinks([...on('a', '/1', '/2', '/3'), ...on('b', '/1'), ...on('c', '/1', '/2')], null);
  const taken = (except?: Set<string>) => frontier.take(except)?.url.replace('.example.com', '').slice(8);
  expect([taken(), taken(), taken(), taken()]).toEqual(['a/1', 'b/1', 'c/1', 'a/2']);
  const closed = new Set(['c.example.com']);
  expect([taken(closed), taken(closed), frontier.waiting]).toEqual(['a/3', undefined, 1]);
  expect([taken(), taken(), frontier.waiting]).toEqual(['c/2', undefined, 0]);
});

test('a large frontier gives each URL once, in order', () => {
  const frontier = create({ maxKnown: 10_000 });
  const paths = Array.from({ length: 5000 }, (_, n) => at(`/page-${n}`));
  frontier.addLinks(links(...paths), null);
  const taken: (string | undefined)[] = [];
  for (let n = 0; n < 5000; n += 1) {
    const entry = frontier.take();
    taken.push(entry?.url);
    // One in a thousand is retried.
    if (entry && entry.tries === 0 && n % 1000 === 999) frontier.putBack({ ...entry, tries: 1 });
  }
  expect(taken).toEqual(paths);
  expect(Array.from({ length: 6 }, () => frontier.take()?.url.slice(at('/page-').length))).toEqual([
    ...['999', '1999', '2999', '3999', '4999'],
    undefined,
  ]);
});
