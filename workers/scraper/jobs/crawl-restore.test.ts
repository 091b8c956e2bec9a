import { Frontier } from '../../../scraping/crawl/frontier.ts';
import { createScope } from '../../../scraping/crawl/scope.ts';
import { restoreFrontier } from './crawl-restore.ts';

const SEED = 'https://example.com/';
const rows = (count: number) =>
  // Positions have gaps, left by URLs that were found and never stored.
  Array.from({ length: count }, (_, n) => ({
    ...{ position: n * 2, url: `${SEED}page/${n}`, depth: 1, patternDepth: 0, tries: 0 },
    state: n % 10 === 0 ? 'disallowed' : n % 10 === 1 ? 'done' : 'waiting',
    contentHash: n % 10 === 1 ? `hash ${n}` : null,
  }));

test.each([0, 1, 2000, 4000, 4321])(
  'a frontier of %d addresses is restored in parts, each once',
  async (count) => {
    const stored = rows(count);
    const frontier = new Frontier({
      scope: createScope([SEED], { sameOrigin: true }),
      ...{ maxDepth: 10, maxKnown: 10_000 },
    });
    let largest = 0;
    const counts = await restoreFrontier(frontier, async (after, limit) => {
      const part = stored.filter(({ position }) => position > after).slice(0, limit);
      largest = Math.max(largest, part.length);
      return part;
    });
    expect(largest).toBeLessThanOrEqual(2000);
    expect([frontier.known, counts.get('disallowed') ?? 0]).toEqual([count, Math.ceil(count / 10)]);
    expect(frontier.waiting).toBe(stored.filter(({ state }) => state === 'waiting').length);
    const [found] = frontier.addLinks([{ url: `${SEED}page/0` }, { url: `${SEED}new` }], null);
    expect(found?.position).toBe(count === 0 ? 0 : (count - 1) * 2 + 1);
  },
);
