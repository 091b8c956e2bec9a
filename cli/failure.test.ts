import { describe, expect, test } from '@jest/globals';
import { ApiError, ConnectionError, JobError, LeadEngineError } from '../sdk/src/index.ts';
import { moment, pairs, webUrl } from './commands/arguments.ts';
import { explain, Failure, Interrupted, OutputClosed } from './failure.ts';

const answer = (status: number, errors: { path: string; message: string }[] = []) =>
  new ApiError('some_code', errors.length > 1 ? 'urls: wrong (and 1 more)' : 'why', { status, errors });
const both = [
  { path: 'urls', message: 'wrong' },
  { path: 'crawl', message: 'too deep' },
];

describe('an error is one line with its cure, and an exit code', () => {
  test.each([
    [new Failure('do this'), 2, 'do this'],
    [answer(401), 5, 'leadengine login'],
    [answer(403), 5, 'use a key'],
    [answer(404), 6, 'leadengine jobs'],
    [answer(422, both), 2, 'urls: wrong; crawl: too deep'],
    [answer(429), 4, 'later'],
    [answer(503), 4, 'later'],
    [answer(500), 1, 'request'],
    [new ConnectionError('unreachable', 'x cannot be reached'), 4, 'leadengine up'],
    [new JobError({ job_id: 'j', status: 'failed', error: null } as never), 3, 'job j failed'],
    [new LeadEngineError('invalid_url', 'expected the URL'), 2, 'expected the URL'],
    [new Interrupted(), 130, 'interrupted'],
    [Object.assign(new Error('ENOSPC: disk full'), { code: 'ENOSPC' }), 1, 'disk full'],
  ])('%s', (error, exitCode, text) => {
    const explained = explain(error);
    expect(explained.exitCode).toBe(exitCode);
    expect(explained.line).toContain(text);
    expect(explained.line?.split('\n')).toHaveLength(1);
  });

  test('but a reader that left is none', () => {
    expect(explain(new OutputClosed())).toEqual({ line: null, exitCode: 0 });
  });

  test('and a bug shows where it is', () => {
    expect(explain(new TypeError('bug')).line).toContain('failure.test');
  });
});

test.each([
  ['example.com', 'did you mean https://example.com?'],
  ['//example.com/a', 'did you mean https://example.com/a?'],
  ['localhost:3000/a', 'expected one such as'],
  ['ftp://example.com/', 'expected one such as'],
  ['', 'expected one such as'],
])('%j is no URL', (text, cure) => {
  expect(() => webUrl(text)).toThrow(cure);
});

test('times are dates or ages', () => {
  expect(moment('2026-01-31').toISOString()).toBe('2026-01-31T00:00:00.000Z');
  const age = Date.now() - moment('7d').getTime();
  expect(Math.round(age / 86_400_000)).toBe(7);
  expect(() => moment('soon')).toThrow('expected a date');
});

test('pairs are collected', () => {
  const read = pairs('=');
  expect(read('b=.x[a=1]', read('a=h1', undefined))).toEqual({ a: 'h1', b: '.x[a=1]' });
  expect(() => read('=x', undefined)).toThrow('expected name=value');
});
