import { expect, test } from '@jest/globals';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

/** How many of this many events at one moment are admitted. */
const admittedOf = (bucket: TokenBucket, now: number, events: number): number =>
  Array.from({ length: events }, () => bucket.take(now)).filter(({ admitted }) => admitted).length;

test('as many as its rate at once, and then as many per second', () => {
  const bucket = createTokenBucket(10);
  expect(admittedOf(bucket, 0, 50)).toBe(10);
  expect(admittedOf(bucket, 500, 50)).toBe(5);
  expect(admittedOf(bucket, 10_000, 50)).toBe(10);
});

test('says what is left and how long to wait', () => {
  const bucket = createTokenBucket(2);
  expect(bucket.take(0)).toEqual({ admitted: true, left: 1, waitMs: 0 });
  bucket.take(0);
  expect(bucket.take(0)).toEqual({ admitted: false, left: 0, waitMs: 500 });
  expect(bucket.take(400)).toEqual({ admitted: false, left: 0, waitMs: expect.closeTo(100) });
});

test('a rate below one per second admits one at a time', () => {
  const bucket = createTokenBucket(0.5);
  expect(admittedOf(bucket, 0, 5)).toBe(1);
  expect(admittedOf(bucket, 1000, 5)).toBe(0);
  expect(admittedOf(bucket, 2000, 5)).toBe(1);
});

test('a lower rate holds at once', () => {
  const bucket = createTokenBucket(100);
  bucket.setRate(3);
  expect(admittedOf(bucket, 0, 50)).toBe(3);
  expect(admittedOf(bucket, 1000, 50)).toBe(3);
});
