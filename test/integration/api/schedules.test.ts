import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { statement } from '../../../db/statement.ts';
import { createScheduleRunner } from '../../../dispatch/schedules.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { begin, expectProblem, run, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
let runDue: () => Promise<number>;
beforeAll(async () => {
  api = await startApi();
  runDue = createScheduleRunner({ database: api.database, logger: silentLogger });
});
afterAll(() => api.stop());

const JOB = { urls: ['https://example.com/'] };

async function schedule(body: Record<string, unknown> = {}, key?: string) {
  const answer = await api.ask('POST', '/api/v1/schedules', {
    body: { every: '1h', job: JOB, starts_at: '2030-01-01T00:00:00Z', ...body },
    ...(key === undefined ? {} : { key }),
  });
  expect({ status: answer.status, errors: answer.json?.errors }).toEqual({ status: 201, errors: undefined });
  return answer.json;
}

const show = async (id: string) => (await api.ask('GET', `/api/v1/schedules/${id}`)).json;
const runsOf = async (id: string) => (await api.ask('GET', `/api/v1/schedules/${id}/runs`)).json.runs;

/** Makes a schedule due now, as if it had begun `seconds` ago. */
const makeDue = (id: string, seconds = 0) => api.database.query(MAKE_DUE, [id, seconds]);
const MAKE_DUE = statement(
  'test_make_schedule_due',
  `
  UPDATE schedules SET starts_at = now() - $2::int * interval '1 s', next_due_at = now() - $2::int * interval '1 s',
                       next_start_at = now() - $2::int * interval '1 s'
  WHERE id = $1
  `,
);

describe('a schedule', () => {
  test('shows its next five times and its fields', async () => {
    const made = await schedule({
      name: 'prices',
      cron: '0 9 * * MON',
      every: undefined,
      timezone: 'Europe/Berlin',
    });
    expect(made).toMatchObject({
      ...{ name: 'prices', cron: '0 9 * * MON', every: null, timezone: 'Europe/Berlin', overlap: 'skip' },
      ...{ missed: 'run_once', jitter_seconds: 0, paused: false, job: JOB, last_runs: [] },
    });
    expect(made.next_times).toEqual([
      ...['2030-01-07T08:00:00.000Z', '2030-01-14T08:00:00.000Z', '2030-01-21T08:00:00.000Z'],
      ...['2030-01-28T08:00:00.000Z', '2030-02-04T08:00:00.000Z'],
    ]);
    expect(await show(made.id)).toEqual(made);
    const { json } = await api.ask('GET', '/api/v1/schedules');
    expect(json.schedules).toContainEqual(made);
  });

  test('by an interval without a start is due at once', async () => {
    const made = await schedule({ starts_at: undefined });
    expect(Date.parse(made.next_times[0])).toBeLessThanOrEqual(Date.now());
    await runDue();
    expect(await runsOf(made.id)).toEqual([
      expect.objectContaining({ outcome: 'started', by_hand: false, job_status: 'queued' }),
    ]);
  });

  test('is paused, resumed, changed and deleted', async () => {
    const { id } = await schedule();
    const change = async (body: unknown) =>
      (await api.ask('PATCH', `/api/v1/schedules/${id}`, { body })).json;
    expect(await change({ paused: true })).toMatchObject({ paused: true, next_times: [] });
    await makeDue(id, -3600);
    expect((await change({ paused: false })).next_times).toHaveLength(5);
    expect(await change({ cron: '@daily', name: 'other' })).toMatchObject({
      cron: '@daily',
      every: null,
      name: 'other',
    });
    expect(await change({ every: 60 })).toMatchObject({
      cron: null,
      every: 60,
      timezone: null,
      name: 'other',
    });
    expect((await change({ job: { urls: ['https://example.com/b'] } })).job.urls).toEqual([
      'https://example.com/b',
    ]);
    expect((await api.ask('DELETE', `/api/v1/schedules/${id}`)).status).toBe(204);
    expectProblem(await api.ask('GET', `/api/v1/schedules/${id}`), 404, 'not_found');
  });

  test('is its user’s alone', async () => {
    const { key } = await api.addUser();
    const { id } = await schedule();
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/run'],
      ['GET', '/runs'],
    ]) {
      const body = method === 'PATCH' ? { paused: true } : undefined;
      expectProblem(
        await api.ask(method ?? '', `/api/v1/schedules/${id}${path}`, { key, body }),
        404,
        'not_found',
      );
    }
    expect((await api.ask('GET', '/api/v1/schedules', { key })).json.schedules).toEqual([]);
  });

  test.each([
    [{}, '', 'cron or every'],
    [{ cron: '@daily', every: '1h' }, 'every', 'not both'],
    [{ cron: '61 * * * *' }, 'cron', 'minute'],
    [{ cron: '0 0 31 2 *' }, 'cron', 'never due'],
    [{ every: '1w' }, 'every', '30s, 15m, 6h, 1d'],
    [{ every: 0 }, 'every', '1 second'],
    [{ every: '1h', timezone: 'Europe/Berlin' }, 'timezone', 'cron only'],
    [{ cron: '@daily', timezone: 'Berlin' }, 'timezone', 'Europe/Berlin'],
    [{ every: '1h', job: { urls: ['ftp://example.com/'] } }, 'job.urls.0', 'http'],
    [{ every: '1h', job: { urls: ['http://10.0.0.1/'] } }, 'job.urls.0', 'public internet'],
    [{ every: '1h', job: { ...JOB, run_at: '2030-01-01T00:00:00Z' } }, 'job.run_at', 'not in a schedule'],
    [{ every: '1h', overlap: 'wait' }, 'overlap', 'skip'],
    [
      { every: '1h', starts_at: '2030-01-01T00:00:00Z', ends_at: '2029-01-01T00:00:00Z' },
      'ends_at',
      'after starts_at',
    ],
    [
      { cron: '0 0 1 1 *', ends_at: new Date(Date.now() + 600_000).toISOString() },
      'ends_at',
      'nothing is due',
    ],
  ])('%j is refused at %j: %s', async (body, path, words) => {
    const answer = await api.ask('POST', '/api/v1/schedules', { body: { job: JOB, ...body } });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors).toContainEqual({ path, message: expect.stringContaining(words) });
  });
});

describe('a due time', () => {
  test('has one job, however many leaders decide it at once', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => schedule()));
    await Promise.all(made.map(({ id }) => makeDue(id)));
    await Promise.all(
      Array.from({ length: 5 }, () =>
        createScheduleRunner({ database: api.database, logger: silentLogger })(),
      ),
    );
    await runDue();
    for (const { id } of made) {
      const runs = await runsOf(id);
      expect(runs).toHaveLength(1);
      expect((await api.ask('GET', `/api/v1/jobs/${runs[0].job_id}`)).json).toMatchObject({
        status: 'queued',
        spec: JOB,
      });
    }
  });

  test('gives its job the secrets of the request, which no answer shows', async () => {
    const { id, job } = await schedule({ job: { ...JOB, headers: { 'X-Token': 'hidden' } } });
    expect(job.headers).toEqual({ 'X-Token': '***' });
    await makeDue(id);
    await runDue();
    const [{ job_id }] = await runsOf(id);
    expect((await begin(api.database, job_id)).spec.headers).toEqual({ 'X-Token': 'hidden' });
  });

  test.each([
    ['run_once', 'started'],
    ['skip', 'skipped_missed'],
  ])('that was missed for a day is decided once: %s', async (missed, outcome) => {
    const { id } = await schedule({ missed });
    await makeDue(id, 86_400 + 1800);
    await runDue();
    await runDue();
    const runs = await runsOf(id);
    expect(runs).toEqual([expect.objectContaining({ outcome })]);
    expect(Date.parse(runs[0].due_at) - Date.parse(runs[0].merged_since)).toBe(86_400_000);
    const [next] = (await show(id)).next_times;
    expect(Date.parse(next) - Date.parse(runs[0].due_at)).toBe(3_600_000);
  });

  describe('while the run before has not ended', () => {
    const secondOf = async (overlap: string) => {
      const { id } = await schedule({ overlap });
      await makeDue(id);
      await runDue();
      await makeDue(id);
      await runDue();
      const runs = await runsOf(id);
      return { id, runs, first: runs.at(-1).job_id };
    };

    test('is skipped', async () => {
      const { runs } = await secondOf('skip');
      expect(runs.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['skipped_overlap', 'started']);
    });

    test('ends that run', async () => {
      const { runs, first } = await secondOf('cancel_running');
      expect(runs.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['started', 'started']);
      expect((await api.ask('GET', `/api/v1/jobs/${first}`)).json.status).toBe('cancelled');
    });

    test('waits for its end', async () => {
      const { id, runs, first } = await secondOf('queue');
      expect(runs).toHaveLength(1);
      await run(api.database, first, { kind: 'completed' });
      await api.database.query(LOOK_NOW, [id]);
      await runDue();
      expect(await runsOf(id)).toHaveLength(2);
    });
  });

  test('of a disabled user makes no job', async () => {
    const { userId, key } = await api.addUser();
    const { id } = await schedule({}, key);
    const disable = (disabled: boolean) =>
      api.ask('PATCH', `/api/v1/users/${userId}`, { body: { disabled } });
    await disable(true);
    await makeDue(id);
    await runDue();
    await disable(false);
    const { json } = await api.ask('GET', `/api/v1/schedules/${id}/runs`, { key });
    expect(json.runs).toEqual([
      expect.objectContaining({ outcome: 'failed', error: 'user_disabled', job_id: null }),
    ]);
  });

  test('of a schedule whose job cannot be made is recorded, and holds up no other', async () => {
    const bad = await schedule({ job: { ...JOB, headers: { 'X-Token': 'hidden' } } });
    const good = await schedule();
    await api.database.query(BREAK_SECRETS, [bad.id]);
    await Promise.all([makeDue(bad.id), makeDue(good.id)]);
    await runDue();
    expect(await runsOf(bad.id)).toEqual([
      expect.objectContaining({ outcome: 'failed', job_id: null, error: 'SecretUnreadable' }),
    ]);
    expect(await runsOf(good.id)).toEqual([expect.objectContaining({ outcome: 'started' })]);
    expect((await show(bad.id)).next_times).toHaveLength(5);
  });
});

const LOOK_NOW = statement(
  'test_look_at_schedule',
  'UPDATE schedules SET next_start_at = now() WHERE id = $1',
);
const BREAK_SECRETS = statement(
  'test_break_schedule_secrets',
  `UPDATE schedules SET secrets = set_byte(secrets, 30, 255 - get_byte(secrets, 30)) WHERE id = $1`,
);

test('run now makes one job per idempotency key, also while the schedule is paused', async () => {
  const { id } = await schedule({ paused: true });
  const headers = { 'idempotency-key': `now-${id}` };
  const answers = await Promise.all(
    [1, 2].map(() => api.ask('POST', `/api/v1/schedules/${id}/run`, { headers })),
  );
  expect(answers.map(({ status }) => status)).toEqual([202, 202]);
  expect(answers[0]?.json).toEqual(answers[1]?.json);
  expect(answers[0]?.headers.get('location')).toBe(`/api/v1/jobs/${answers[0]?.json.job_id}`);
  expect(await runsOf(id)).toEqual([
    expect.objectContaining({ by_hand: true, outcome: 'started', job_id: answers[0]?.json.job_id }),
  ]);
  const other = await schedule();
  expectProblem(
    await api.ask('POST', `/api/v1/schedules/${other.id}/run`, { headers }),
    409,
    'idempotency_conflict',
  );
});
