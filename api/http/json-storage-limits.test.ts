import { storageProblem } from './json-storage-limits.ts';

test.each([
  ['NUL', { note: 'a\0b' }],
  ['half a surrogate pair', { note: ['\ud800'] }],
  ['NUL in a name', { 'a\0': 1 }],
  ['a name that means the prototype', JSON.parse('{"__proto__": 1}')],
])('%s is found where it stands', (_, metadata) => {
  expect(storageProblem({ metadata })?.path[0]).toBe('metadata');
});

test('nesting without end is refused and does not exhaust the stack', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(40_000)}${']'.repeat(40_000)}`);
  expect(storageProblem({ deep })?.message).toMatch(/levels of nesting/);
});

test('ordinary JSON is fine, whatever its language', () => {
  expect(
    storageProblem({ emoji: '👩‍🚀', quote: '"\\u0000"', nested: [{ a: null, b: [1.5, true] }] }),
  ).toBeNull();
});
