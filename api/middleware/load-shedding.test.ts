import { EventEmitter } from 'node:events';
import type { ApiRequest, ApiResponse } from '../http/route.ts';
import { createLoadShedding } from './load-shedding.ts';

const limit = createLoadShedding(1000, 600);

/** A request of a user that got so far as to have a body. */
function begin(userId: string, headers: Record<string, string> = {}) {
  const locals = { caller: { userId } } as ApiResponse['locals'];
  const response = Object.assign(new EventEmitter(), { locals });
  limit({ headers } as unknown as ApiRequest, response as unknown as ApiResponse, (error) => {
    if (error) throw error;
  });
  return { ...locals.body, end: () => response.emit('close') };
}

const OVERLOADED = expect.objectContaining({ status: 503, code: 'overloaded' });

test('what a header announces costs nothing', () => {
  const announced = Array.from({ length: 10 }, () => begin('a', { 'content-length': '100000000' }));
  const other = begin('b');
  other.add(600);
  for (const request of [...announced, other]) request.end();
});

test('a user has a share, and the others theirs', () => {
  const first = begin('a');
  first.add(500);
  const second = begin('a');
  second.add(100);
  expect(() => second.add(1)).toThrow(OVERLOADED);
  const other = begin('b');
  other.add(400);
  expect(() => other.add(1)).toThrow(OVERLOADED);
  for (const request of [first, second, other]) request.end();
});

test('what was held is there again when the answer is out, or when it was given back, once', () => {
  const first = begin('a');
  first.add(600);
  first.end();
  const second = begin('a');
  second.add(600);
  second.release();
  second.end();
  const third = begin('a');
  third.add(600);
  expect(() => third.add(1)).toThrow(OVERLOADED);
  third.end();
});
