import { chooseForWindow, windowSize } from './window.ts';

const jobs = (...priorities: number[]) => priorities.map((priority, index) => ({ priority, index }));

test('the window has room for two jobs per slot without recent work', () => {
  expect(windowSize({ slots: 40, claimsPerSecond: 0 })).toBe(80);
});

test('the window holds two seconds of recent work', () => {
  expect(windowSize({ slots: 4, claimsPerSecond: 1500 })).toBe(3000);
});

test('no more jobs are chosen than the window has room for', () => {
  expect(chooseForWindow(jobs(0, 0, 0), new Map([[0, 2]]), 4)).toHaveLength(2);
  expect(chooseForWindow(jobs(0, 0, 0), new Map([[0, 9]]), 4)).toHaveLength(0);
});

test('a window full of ordinary work does not keep an urgent job out', () => {
  expect(chooseForWindow(jobs(9, 0), new Map([[0, 16]]), 16)).toEqual([{ priority: 9, index: 0 }]);
});

test('urgent jobs on the queue leave no room for ordinary ones', () => {
  expect(chooseForWindow(jobs(0), new Map([[9, 16]]), 16)).toEqual([]);
});
