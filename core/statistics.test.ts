import { describe, expect, test } from '@jest/globals';
import {
  ALL_USERS,
  bucketOf,
  type CountableEvent,
  type JobFacts,
  percentileOf,
  rollUp,
} from './statistics.ts';

const histogramOf = (values: number[]) => {
  const buckets = new Map<number, number>();
  for (const value of values) buckets.set(bucketOf(value), (buckets.get(bucketOf(value)) ?? 0) + 1);
  return [...buckets].map(([bucket, jobs]) => ({ bucket, jobs }));
};

describe('a percentile', () => {
  test.each([0.5, 0.95, 0.99])('of %s is within 5 %% of the exact one', (share) => {
    const values = Array.from({ length: 1000 }, (_, index) => 3 + index * 17);
    const exact = values[Math.ceil(values.length * share) - 1] ?? 0;
    const read = percentileOf(histogramOf(values), share) ?? 0;
    expect(Math.abs(read - exact) / exact).toBeLessThan(0.051);
  });

  test('of merged histograms is that of all their values', () => {
    const one = histogramOf([10, 10, 10]);
    const other = histogramOf([5000, 5000, 5000, 5000]);
    expect(percentileOf([...one, ...other], 0.5)).toBe(percentileOf(other, 0.5));
  });

  test('without values is null', () => {
    expect(percentileOf([], 0.5)).toBeNull();
  });
});

const USER = '11111111-1111-1111-1111-111111111111';
const JOB = '22222222-2222-2222-2222-222222222222';
const at = (time: string) => new Date(`2026-01-31T${time}Z`);
const event = (type: string, time: string, data: Record<string, unknown> = {}): CountableEvent => ({
  ...{ type, data, user_id: USER, job_id: JOB },
  occurred_at: at(time),
});
const job: JobFacts = {
  id: JOB,
  created_at: at('10:59:00'),
  run_at: at('10:59:00'),
  started_at: at('10:59:02'),
  sources: ['urls'],
  hosts: { 'example.com': 2, 'example.org': 1 },
};
const counts = { pages: 3, leads: 0, errors: 1 };
const total = (events: CountableEvent[], user: string) => {
  const sum: Record<string, number> = {};
  for (const row of rollUp(events, new Map([[JOB, job]])).hours) {
    if (row.user_id !== user) continue;
    for (const [name, value] of Object.entries(row)) {
      if (typeof value === 'number') sum[name] = (sum[name] ?? 0) + value;
    }
  }
  return sum;
};

describe('events are added up', () => {
  const life = [
    event('job.created', '10:59:00'),
    event('job.started', '10:59:02', { attempt: 1 }),
    event('job.completed', '11:00:02', { counts, error: null }),
  ];

  test('by the quarter of an hour, for their user and for all users', () => {
    const { hours } = rollUp(life, new Map([[JOB, job]]));
    expect(hours).toHaveLength(4);
    expect(hours).toContainEqual(
      expect.objectContaining({
        user_id: USER,
        hour: '2026-01-31T10:45:00Z',
        created: 1,
        started: 1,
        completed: 0,
      }),
    );
    expect(hours).toContainEqual(
      expect.objectContaining({
        user_id: ALL_USERS,
        hour: '2026-01-31T11:00:00Z',
        completed: 1,
        pages: 3,
        page_errors: 1,
      }),
    );
  });

  test('with how long the job waited and ran', () => {
    const { histograms } = rollUp(life, new Map([[JOB, job]]));
    const own = histograms.filter(({ user_id }) => user_id === USER);
    expect(own).toEqual([
      { user_id: USER, day: '2026-01-31', measure: 'time_to_start', bucket: bucketOf(2000), jobs: 1 },
      { user_id: USER, day: '2026-01-31', measure: 'duration', bucket: bucketOf(60_000), jobs: 1 },
    ]);
  });

  test('by host and source', () => {
    const { breakdowns } = rollUp(life, new Map([[JOB, job]]));
    expect(breakdowns.filter(({ user_id }) => user_id === USER)).toEqual([
      expect.objectContaining({ kind: 'source', value: 'urls', jobs: 1, pages: 3 }),
      expect.objectContaining({ kind: 'host', value: 'example.com', jobs: 1, pages: 2 }),
      expect.objectContaining({ kind: 'host', value: 'example.org', jobs: 1, pages: 1 }),
    ]);
  });

  test('and the pages of a retried job are not counted twice', () => {
    const again = [
      event('job.failed', '11:00:00', { counts, error: { code: 'timeout', message: '' } }),
      event('job.requeued', '11:10:00', { outcome: 'retry_requested', counts }),
      event('job.completed', '11:20:00', { counts: { pages: 5, leads: 0, errors: 1 }, error: null }),
    ];
    expect(total(again, USER)).toMatchObject({
      failed: 1,
      completed: 1,
      retries: 1,
      pages: 5,
      page_errors: 1,
    });
  });

  test('an error is counted by its code, and unrelated events are ignored', () => {
    const { breakdowns, hours } = rollUp(
      [
        event('job.retrying', '11:00:00', { counts, error: { code: 'timeout', message: 'x' } }),
        event('job.progress', '11:00:01'),
        event('user.registered', '11:00:01'),
      ],
      new Map(),
    );
    expect(breakdowns.map(({ kind, value, jobs }) => [kind, value, jobs])).toEqual([
      ['error', 'timeout', 1],
      ['error', 'timeout', 1],
    ]);
    expect(hours.map(({ retries }) => retries)).toEqual([1, 1]);
  });
});
