import { describe, expect, test } from '@jest/globals';
import { directExpression, topicExpression } from './embedded/topic.ts';

const matches = (expression: string, key: string) => new RegExp(expression).test(`${key}.`);

describe('a topic pattern', () => {
  test.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a.b.c', false],
    ['a.b', 'a', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['*.b', 'a.b', true],
    ['*.b', 'b', false],
    ['a.#', 'a', true],
    ['a.#', 'a.b.c', true],
    ['a.#', 'ab', false],
    ['#', '', true],
    ['#', 'a.b.c', true],
    ['#.c', 'c', true],
    ['#.c', 'a.b.c', true],
    ['#.c', 'a.b.cc', false],
    ['a.#.d', 'a.d', true],
    ['a.#.d', 'a.b.c.d', true],
    ['a.#.*', 'a', false],
    ['a.#.*', 'a.b.c', true],
    ['notification.job.*.retry', 'notification.job.failed.retry', true],
    ['a.b+(c)', 'a.b+(c)', true],
    ['a.b+', 'a.bb', false],
    ['a_b', 'a.b', false],
  ])('%s and the key %s: %s', (pattern, key, expected) => {
    expect(matches(topicExpression(pattern), key)).toBe(expected);
  });
});

test('a direct exchange has no wildcards', () => {
  expect(matches(directExpression('a.*'), 'a.*')).toBe(true);
  expect(matches(directExpression('a.*'), 'a.b')).toBe(false);
});
