import { createProxyHealth } from './upstream-proxy.ts';

const A = 'http://a.example';
const B = 'http://b.example';

test('proxies are used round robin', () => {
  const health = createProxyHealth();
  const first = new Set([0, 1, 2, 3].map(() => health.inOrder([A, B])[0]));
  expect(first).toEqual(new Set([A, B]));
});

test('a failed proxy goes last for a while, longer after each failure', () => {
  let now = 0;
  const health = createProxyHealth(() => now);
  const firsts = () => new Set([0, 1, 2, 3].map(() => health.inOrder([A, B])[0]));
  health.failed(A);
  expect(firsts()).toEqual(new Set([B]));
  expect(health.inOrder([A])).toEqual([A]);
  now = 30_001;
  expect(firsts()).toEqual(new Set([A, B]));
  health.failed(A);
  now += 30_001;
  expect(firsts()).toEqual(new Set([B]));
  now += 30_001;
  expect(firsts()).toEqual(new Set([A, B]));
});

test('a success resets the failures of a proxy', () => {
  let now = 0;
  const health = createProxyHealth(() => now);
  health.failed(A);
  health.worked(A);
  health.failed(A);
  now = 30_001;
  expect(new Set([0, 1, 2, 3].map(() => health.inOrder([A, B])[0]))).toEqual(new Set([A, B]));
});
