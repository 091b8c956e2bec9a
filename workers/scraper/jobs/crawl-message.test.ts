import { expect, test } from '@jest/globals';
import { crawlMessage } from './crawl-message.ts';

const state = { pages: 3, known: 9, maxKnown: 2000, leftOut: new Map(), unvisited: 0 };
const none = { too_deep: 0, trap: 0, too_many: 0 };

test('says what there is', () => {
  expect(crawlMessage({ ...state, refusals: none })).toBe('3 pages, 9 addresses known');
});

test('says what was left out, and why', () => {
  const leftOut = new Map([
    ['duplicate', 1],
    ['disallowed', 2],
    ['outside', 3],
    ['done', 3],
  ] as const);
  const refusals = { too_deep: 4, trap: 5, too_many: 6 };
  expect(crawlMessage({ ...state, leftOut, refusals, unvisited: 7 }).split(', ')).toEqual([
    ...['3 pages', '9 addresses known'],
    '1 the same as another page',
    '2 not allowed by robots.txt',
    '3 redirected to another site',
    '4 deeper than max_depth',
    '5 left out as part of an endless list',
    '6 beyond the 2000 addresses that the crawl may know',
    '7 not loaded because of max_pages',
  ]);
});
