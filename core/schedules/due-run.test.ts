import { expect, test } from '@jest/globals';
import { decideDue, MISSED_AFTER_MS, type Missed, type Overlap } from './due-run.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const ago = (ms: number) => new Date(NOW.getTime() - ms);
const decide = (
  dueAt: Date,
  state: { overlap?: Overlap; missed?: Missed; isRunning?: boolean; hasWaited?: boolean },
) => decideDue({ overlap: 'skip', missed: 'skip', isRunning: false, hasWaited: false, ...state }, dueAt, NOW);

test('a time that has come makes a job', () => {
  expect(decide(NOW, {})).toEqual({ kind: 'start', cancelsRunning: false });
  expect(decide(ago(MISSED_AFTER_MS), {})).toEqual({ kind: 'start', cancelsRunning: false });
});

test('a missed time is skipped, or run once', () => {
  const late = ago(MISSED_AFTER_MS + 1);
  expect(decide(late, { missed: 'skip' })).toEqual({ kind: 'skip', reason: 'missed' });
  expect(decide(late, { missed: 'run_once' })).toEqual({ kind: 'start', cancelsRunning: false });
});

test('while the run before has not ended, a time is skipped, waits, or ends it', () => {
  expect(decide(NOW, { isRunning: true, overlap: 'skip' })).toEqual({ kind: 'skip', reason: 'overlap' });
  expect(decide(NOW, { isRunning: true, overlap: 'queue' })).toEqual({ kind: 'wait' });
  expect(decide(NOW, { isRunning: true, overlap: 'cancel_running' })).toEqual({
    kind: 'start',
    cancelsRunning: true,
  });
});

test('a time that waited for the run before is not missed', () => {
  expect(decide(ago(3_600_000), { overlap: 'queue', hasWaited: true, missed: 'skip' })).toEqual({
    kind: 'start',
    cancelsRunning: false,
  });
});
