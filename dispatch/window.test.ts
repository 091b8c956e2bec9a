import { roomIn, windowSize } from './window.ts';

test('the window has room for each idle slot and a few more', () => {
  expect(windowSize({ slots: 40, running: 0, claimsPerSecond: 0 })).toBe(44);
  expect(windowSize({ slots: 40, running: 40, claimsPerSecond: 1 })).toBe(4);
});

test('the window holds half a second of recent work', () => {
  expect(windowSize({ slots: 4, running: 4, claimsPerSecond: 1500 })).toBe(750);
});

test('what is on the queue takes room, whosever it is; running jobs do not', () => {
  const inFlight = new Map([
    ['a', { dispatched: 2, running: 3, runningMs: 0 }],
    ['b', { dispatched: 1, running: 0, runningMs: 0 }],
  ]);
  const window = { slots: 4, claimsPerSecond: 0, inFlight, waiting: [] };
  expect(roomIn(window, ({ running }) => 10 - running)).toEqual({ size: 7, room: 4 });
  expect(roomIn(window, () => 1)).toEqual({ size: 1, room: 0 });
});
