import { EventEmitter } from 'node:events';
import type { ApiRequest, ApiResponse } from '../http/route.ts';
import { createLoadShedding } from './load-shedding.ts';

const limit = createLoadShedding(1000, 600);

/** An authenticated request that is about to send a body. */
function begin(userId: string, headers: Record<string, string> = {}) {
  const locals = { caller: { userId } } as ApiResponse['locals'];
  const response = Object.assign(new EventEmitter(), { locals });
  limit({ headers } as unknown as ApiRequest, response as unknown as ApiResponse, (error) => {
    if (error) throw error;
  });
  return { ...locals.body, end: () => response.emit('close') };
}

const OVERLOADED = expect.objectContaining({ status: 503, code: 'overloaded' });

test('an announced Content-Length costs nothing', () => {
  const announced = Array.from({ length: 10 }, () => begin('a', { 'content-length': '100000000' }));
  const other = begin('b');
  other.add(600);
  for (const request of [...announced, other]) request.end();
});

test('one user cannot take the whole budget, and other users still fit', () => {
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

test('held bytes are freed once, when the answer is sent or they are released', () => {
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
