import { EventEmitter } from 'node:events';
import type { ApiRequest, ApiResponse } from '../http/route.ts';
import { createLoadLimit } from './load-shedding.ts';

const limit = createLoadLimit(1000);

/** Sends a request's headers through; how it was refused, if it was, and its end. */
function begin(headers: Record<string, string>) {
  const response = new EventEmitter();
  let refused: unknown;
  limit({ headers } as unknown as ApiRequest, response as unknown as ApiResponse, (error) => {
    refused = error;
  });
  return { refused, end: () => response.emit('close') };
}

test('bodies are let in until they are too much together, and again when earlier ones are done', () => {
  const first = begin({ 'content-length': '600' });
  expect(first.refused).toBeUndefined();
  expect(begin({ 'content-length': '600' }).refused).toMatchObject({ status: 503, code: 'overloaded' });
  expect(begin({}).refused).toBeUndefined();
  first.end();
  const second = begin({ 'content-length': '600' });
  expect(second.refused).toBeUndefined();
  second.end();
});

test('one body alone is never too much; its own limit is another matter', () => {
  const large = begin({ 'content-length': '5000' });
  expect(large.refused).toBeUndefined();
  large.end();
});

test('a body of unknown length counts as the longest', () => {
  const first = begin({ 'content-length': '10' });
  expect(begin({ 'transfer-encoding': 'chunked' }).refused).toMatchObject({ status: 503 });
  first.end();
});
