import { describe, expect, it } from '@jest/globals';
import { findExcess } from './memory-watch.ts';
import { type BrowserProcess, createProcessReader, ownBytes } from './process-tree.ts';

const process = (pid: number, kind: BrowserProcess['kind'], bytes: number) => ({ pid, kind, bytes });

describe('a browser over its memory limit', () => {
  it.each<[string, BrowserProcess[], { pid: number; isAlone: boolean } | null]>([
    ['is left alone below it', [process(1, 'browser', 400), process(2, 'renderer', 600)], null],
    [
      'loses the page that took most of it',
      [process(1, 'browser', 100), process(2, 'renderer', 200), process(3, 'renderer', 900)],
      { pid: 3, isAlone: true },
    ],
    [
      'loses its largest page, without blame, if all of them together are too large',
      [process(1, 'browser', 100), ...[2, 3, 4].map((pid) => process(pid, 'renderer', 300 + pid))],
      { pid: 4, isAlone: false },
    ],
    [
      'ends if the memory is not in a page',
      [process(1, 'browser', 800), process(2, 'renderer', 300)],
      { pid: 1, isAlone: true },
    ],
    [
      'ends another process that took it',
      [process(1, 'browser', 100), process(2, 'renderer', 300), process(3, 'other', 700)],
      { pid: 3, isAlone: true },
    ],
    ['has no page to blame', [process(1, 'browser', 1100)], { pid: 1, isAlone: true }],
    ['without processes is below it', [], null],
  ])('%s', (_name, processes, expected) => {
    const excess = findExcess(processes, 1000);
    expect(excess && { pid: excess.process.pid, isAlone: excess.isAlone }).toEqual(expected);
  });
});

describe('the memory of a process', () => {
  it('is its own, without the program', () => {
    expect(ownBytes('VmRSS:\t  900 kB\nRssAnon:\t  300 kB\nRssFile:\t  500 kB\nRssShmem:\t  100 kB\n')).toBe(
      400 * 1024,
    );
  });

  it('is none of a group without processes', () => {
    expect(createProcessReader(2 ** 22 + 1)()).toEqual([]);
  });
});
