import { createBudgets, looksEndless, urlPattern } from './traps.ts';

const at = (path: string) => `https://example.com${path}`;

test.each([
  '/a/b/a/b/a/b',
  '/x/x/x/x',
  '/news/news/news',
  `/${'long'.repeat(600)}`,
  `/${'a/b1/c2/'.split('/').join('/')}${Array.from({ length: 30 }, (_, n) => `f${n}`).join('/')}`,
  `/list?${Array.from({ length: 12 }, (_, n) => `f${n}=1`).join('&')}`,
])('%s looks like a trap', (path) => {
  expect(looksEndless(at(path))).toBe(true);
});

test.each([
  '/',
  '/2024/10/10/10/title',
  '/docs/15/sql-createtable.html',
  '/a/b/a/c',
  '/de/de/x',
  '/list?page=7&sort=name',
])('%s does not', (path) => {
  expect(looksEndless(at(path))).toBe(false);
});

test('the pattern of a URL omits numbers and query values', () => {
  expect(urlPattern(at('/calendar/2026/07?view=month&a=1'))).toBe(at('/calendar/#/#?a&view'));
});

/** How many pages are admitted if each links to the next. */
function walk(path: (step: number) => string, steps: number): number {
  const budgets = createBudgets();
  let from: { url: string; patternDepth: number } | null = null;
  for (let step = 0; step < steps; step += 1) {
    const url = at(path(step));
    const patternDepth = budgets.admit(url, from);
    if (patternDepth === null) return step;
    from = { url, patternDepth };
  }
  return steps;
}

test('a calendar ends', () => {
  expect(walk((step) => `/calendar/${2026 + Math.floor(step / 12)}/${(step % 12) + 1}`, 1000)).toBeLessThan(
    50,
  );
  expect(walk((step) => `/events?month=${step}`, 1000)).toBeLessThan(50);
});

test('a long list is followed further, and the pages it links to without limit', () => {
  expect(walk((step) => `/list?page=${step}`, 80)).toBe(80);
  const budgets = createBudgets();
  const list = { url: at('/list'), patternDepth: 0 };
  for (let number = 0; number < 5000; number += 1) {
    expect(budgets.admit(at(`/product/${number}`), list)).toBe(0);
  }
});

test('combinations of filters are limited', () => {
  const budgets = createBudgets();
  const admitted = Array.from({ length: 1000 }, (_, n) =>
    budgets.admit(at(`/shop?color=${n % 40}&size=${Math.floor(n / 40)}`), null),
  ).filter((patternDepth) => patternDepth !== null);
  expect(admitted).toHaveLength(200);
});
