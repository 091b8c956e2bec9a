import { type Outcome, settle } from './job-state.ts';
import { isFinal, JOB_STATUSES } from './job-status.ts';

const policy = { baseMs: 1000, capMs: 60_000 };
const error = { code: 'dns_failed', message: 'no such host' };
const first = { attempt: 1, maxAttempts: 3, snoozes: 0 };
const last = { attempt: 3, maxAttempts: 3, snoozes: 0 };

test('a completed run completes the job', () => {
  expect(settle(first, { kind: 'completed' }, policy, 0)).toMatchObject({
    status: 'completed',
    spendsAttempt: true,
    event: 'job.completed',
    error: null,
  });
});

test('a retryable error with attempts left waits for its back-off', () => {
  expect(settle(first, { kind: 'retry', error }, policy, 0)).toMatchObject({
    status: 'retrying',
    delayMs: 500,
    error,
    event: 'job.retrying',
  });
});

test('a retryable error on the last attempt fails the job', () => {
  expect(settle(last, { kind: 'retry', error }, policy, 0)).toMatchObject({ status: 'failed', error });
});

test('a permanent error fails the job on the first attempt', () => {
  expect(settle(first, { kind: 'fail', error }, policy, 0)).toMatchObject({ status: 'failed', error });
});

test('a snooze waits for its delay and returns the attempt, even the last one', () => {
  expect(
    settle(last, { kind: 'snooze', error, delayMs: 4000, budget: 'consumed' }, policy, 0.9),
  ).toMatchObject({
    status: 'retrying',
    delayMs: 4000,
    spendsAttempt: false,
  });
});

test('a job cannot be snoozed forever', () => {
  const weary = { ...first, snoozes: 60 };
  expect(
    settle(weary, { kind: 'snooze', error, delayMs: 4000, budget: 'consumed' }, policy, 0),
  ).toMatchObject({
    status: 'failed',
    error,
  });
});

test("only waiting for a site without progress consumes a job's snooze budget", () => {
  const after = (budget: 'consumed' | 'reset' | 'unchanged') =>
    settle({ ...first, snoozes: 60 }, { kind: 'snooze', error, delayMs: 4000, budget }, policy, 0);
  expect(after('consumed').status).toBe('failed');
  expect(after('reset')).toMatchObject({ status: 'retrying', snoozes: 0, recordAttempt: true });
  expect(after('unchanged')).toMatchObject({ status: 'retrying', snoozes: 60, recordAttempt: false });
  const young = { kind: 'snooze', error, delayMs: 1, budget: 'consumed' } as const;
  expect(settle(first, young, policy, 0).snoozes).toBe(1);
});

test('a released job is requeued and its attempt is returned', () => {
  expect(settle(last, { kind: 'released' }, policy, 0)).toMatchObject({
    status: 'queued',
    spendsAttempt: false,
  });
});

test('a crash costs an attempt and has no back-off; the last one fails the job', () => {
  expect(settle(first, { kind: 'crashed', error }, policy, 0)).toMatchObject({
    status: 'queued',
    delayMs: 0,
  });
  expect(settle(last, { kind: 'crashed', error }, policy, 0)).toMatchObject({ status: 'failed', error });
});

test('every outcome leaves running, and three states are final', () => {
  const outcomes: Outcome[] = [
    { kind: 'completed' },
    { kind: 'retry', error },
    { kind: 'fail', error },
    { kind: 'snooze', error, delayMs: 1, budget: 'consumed' },
    { kind: 'cancelled' },
    { kind: 'released' },
    { kind: 'crashed', error },
  ];
  for (const outcome of outcomes) expect(settle(first, outcome, policy, 0.5).status).not.toBe('running');
  expect(JOB_STATUSES.filter(isFinal)).toEqual(['completed', 'failed', 'cancelled']);
});
