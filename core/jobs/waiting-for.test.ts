import { expect, test } from '@jest/globals';
import { waitingFor } from './waiting-for.ts';

const AT = new Date('2026-12-01T08:00:00.000Z');

test('a queued job waits for a slot, or for other jobs of a user at the limit', () => {
  expect(waitingFor('queued', AT, null)).toMatchObject({ code: 'slot' });
  expect(waitingFor('queued', AT, { running: 4, limit: 5 })).toMatchObject({ code: 'slot' });
  expect(waitingFor('queued', AT, { running: 5, limit: 5 })).toEqual({
    code: 'running_jobs',
    message: 'your other jobs (5 of 5 running)',
  });
  // The limit was lowered while they ran.
  expect(waitingFor('queued', AT, { running: 5, limit: 2 })).toMatchObject({ code: 'running_jobs' });
});

test('a job that waits for a time says which', () => {
  expect(waitingFor('scheduled', AT, null)?.message).toContain('2026-12-01T08:00:00.000Z');
  expect(waitingFor('retrying', AT, null)).toMatchObject({ code: 'retry' });
});

test.each(['running', 'completed', 'failed', 'cancelled'] as const)(
  'a %s job waits for nothing',
  (status) => {
    expect(waitingFor(status, AT, { running: 5, limit: 5 })).toBeNull();
  },
);
