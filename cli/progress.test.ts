import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { Output } from './output.ts';
import { duration, paceOf, startProgress } from './progress.ts';

test.each([
  [{ done: 0, total: 10 }, 1000, ''],
  [{ done: 50, total: 100 }, 4000, '12.5/s, 4 s left'],
  [{ done: 1, total: 3 }, 120_000, '0.5/min, 4 min left'],
  [{ done: 10, total: 10 }, 1000, '10.0/s'],
])('%j after %i ms is "%s"', (figures, ms, text) => {
  expect(paceOf(figures, ms)).toBe(text);
});

test.each([
  [0.2, '1 s'],
  [99, '99 s'],
  [130, '2 min'],
  [7500, '2 h 5 min'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test('where there is no terminal, a line comes now and then', () => {
  const { output, said } = outputOf({ quiet: false });
  let now = 0;
  const progress = startProgress(output, 'pages', () => now);
  for (; now <= 12_000; now += 1000) progress.update({ done: now / 1000, total: 100 });
  progress.stop();
  expect(said()).toBe('5 of 100 pages, 1.0/s, 95 s left\n10 of 100 pages, 1.0/s, 90 s left\n');
});

test('on a terminal there is a bar, which is gone at the end', () => {
  const { output, said } = outputOf({ isTTY: true });
  let now = 0;
  const progress = startProgress(output, 'pages', () => now);
  now = 2000;
  progress.update({ done: 20, total: 40 }, '2 failed');
  progress.stop();
  expect(said()).toContain('20/40 pages  10.0/s, 2 s left  2 failed');
});

test.each([{ quiet: true }, { json: true }])('%j says nothing', (options) => {
  const { output, said } = outputOf(options);
  let now = 0;
  const progress = startProgress(output, 'pages', () => now);
  now = 60_000;
  progress.update({ done: 1, total: 2 });
  progress.stop();
  expect(said()).toBe('');
});

function outputOf({ isTTY = false, quiet = false, json = false }) {
  const stderr = Object.assign(new PassThrough(), {
    ...{ isTTY, columns: 120, cursorTo: () => {}, clearLine: () => {}, moveCursor: () => {} },
    clearScreenDown: () => {},
  });
  let text = '';
  stderr.on('data', (chunk) => {
    text += chunk;
  });
  const output = new Output(new PassThrough(), stderr, { json, quiet, color: false });
  return { output, said: () => text };
}
