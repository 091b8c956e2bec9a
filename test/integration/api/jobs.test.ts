import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { begin, expectProblem, run, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const get = (id: string, query = '', headers = {}) =>
  api.ask('GET', `/api/v1/jobs/${id}${query}`, { headers });
const post = (id: string, verb: string) => api.ask('POST', `/api/v1/jobs/${id}/${verb}`);
const completed = { kind: 'completed' } as const;
const failed = { kind: 'fail', error: { code: 'broken', message: 'it broke' } } as const;

describe('a job', () => {
  test('has all the fields of the contract before it ran', async () => {
    const id = await api.submit({ urls: ['https://example.com/'], priority: 4 });
    const { status, json } = await get(id);
    expect(status).toBe(200);
    expect(json).toEqual({
      job_id: id,
      user_id: expect.any(String),
      status: 'queued',
      waiting_for: { code: 'slot', message: 'your turn and a free worker' },
      attempt: 0,
      max_attempts: 3,
      priority: 4,
      spec: { urls: ['https://example.com/'], priority: 4 },
      progress: { done: 0, total: 0, message: null },
      counts: { pages: 0, leads: 0, errors: 0 },
      error: null,
      attempts: [],
      created_at: expect.any(String),
      run_at: expect.any(String),
      started_at: null,
      finished_at: null,
    });
    // On its way to the workers it would hold back the less urgent jobs of the other tests.
    await post(id, 'cancel');
  });

  test('shows its error and its attempts', async () => {
    const id = await api.submit();
    await run(api.database, id, failed);
    const { json } = await get(id);
    expect(json).toMatchObject({ status: 'failed', attempt: 1, error: failed.error });
    expect(json.attempts).toMatchObject([{ attempt: 1, outcome: 'fail', error: failed.error }]);
    expect(Date.parse(json.finished_at)).toBeGreaterThanOrEqual(Date.parse(json.started_at));
  });

  test('is hidden from other users', async () => {
    const { key } = await api.addUser();
    const id = await api.submit();
    for (const path of ['', '/pages', '/leads', '/artifacts/0/screenshot.png']) {
      expectProblem(await api.ask('GET', `/api/v1/jobs/${id}${path}`, { key }), 404, 'not_found');
    }
    for (const verb of ['cancel', 'retry']) {
      expectProblem(await api.ask('POST', `/api/v1/jobs/${id}/${verb}`, { key }), 404, 'not_found');
    }
    expect((await get(id)).json.status).toBe('queued');
  });

  test.each(['0', 'nope', '00000000-0000-0000-0000-000000000000', '%00', '..%2f..'])(
    'that does not exist is not found: %s',
    async (id) => {
      expectProblem(await get(id), 404, 'not_found');
      expectProblem(await post(id, 'cancel'), 404, 'not_found');
      expectProblem(await post(id, 'retry'), 404, 'not_found');
    },
  );

  test('is not sent again while it is unchanged', async () => {
    const id = await api.submit();
    const first = await get(id);
    const etag = String(first.headers.get('etag'));
    expect(etag).toMatch(/^"[\w-]+"$/);
    const same = await get(id, '', { 'if-none-match': `"other", W/${etag}` });
    expect(same.status).toBe(304);
    expect(same.text).toBe('');
    expect(same.headers.get('etag')).toBe(etag);
    await run(api.database, id, completed);
    const changed = await get(id, '', { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
  });
});

describe('waiting for a job', () => {
  test('is answered as soon as the job is final', async () => {
    const id = await api.submit();
    const asked = performance.now();
    const answer = get(id, '?wait=60');
    const job = get(id, '?wait=60');
    await run(api.database, id, completed);
    expect((await answer).json.status).toBe('completed');
    expect((await job).json.status).toBe('completed');
    expect(performance.now() - asked).toBeLessThan(20_000);
  });

  test('is answered at once if it is final already', async () => {
    const id = await api.submit();
    await run(api.database, id, failed);
    expect((await get(id, '?wait=60')).json.status).toBe('failed');
  });

  test('times out with the current job', async () => {
    const id = await api.submit();
    const asked = performance.now();
    expect((await get(id, '?wait=1')).json.status).toBe('queued');
    expect(performance.now() - asked).toBeGreaterThan(950);
  });

  test('costs others nothing when its client disconnects', async () => {
    const id = await api.submit();
    const leave = new AbortController();
    const left = api.ask('GET', `/api/v1/jobs/${id}?wait=60`, { signal: leave.signal });
    const stays = get(id, '?wait=60');
    setTimeout(() => leave.abort(), 150);
    await expect(left).rejects.toThrow();
    await run(api.database, id, completed);
    expect((await stays).json.status).toBe('completed');
  });

  test.each(['61', '-1', '1.5', 'x', ''])('does not last %j seconds', async (wait) => {
    const answer = await get(await api.submit(), `?wait=${wait}`);
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe('wait');
  });
});

describe('the list of jobs', () => {
  test('is newest first and comes in pages without gaps or repeats', async () => {
    const { key } = await api.addUser();
    const jobs = Array.from({ length: 7 }, () => ({ urls: ['https://example.com/'] }));
    // Created in one transaction, at the same time: only the id orders them.
    await api.ask('POST', '/api/v1/jobs/batch', { key, body: { jobs } });
    const newest = await api.submit(undefined, key);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { status, json } = await api.ask('GET', `/api/v1/jobs?limit=3${cursor}`, { key });
      expect(status).toBe(200);
      seen.push(...json.jobs.map(({ job_id }: { job_id: string }) => job_id));
      cursor = json.next_cursor && `&cursor=${encodeURIComponent(json.next_cursor)}`;
    } while (cursor);
    expect(seen).toHaveLength(8);
    expect(new Set(seen).size).toBe(8);
    expect(seen[0]).toBe(newest);
  });

  test('can be filtered by status', async () => {
    const { key } = await api.addUser();
    const done = await api.submit(undefined, key);
    await api.submit(undefined, key);
    await run(api.database, done, completed);
    const { json } = await api.ask('GET', '/api/v1/jobs?status=completed', { key });
    expect(json.jobs.map(({ job_id }: { job_id: string }) => job_id)).toEqual([done]);
    expect(json.next_cursor).toBeNull();
  });

  test.each([
    ['status', 'done'],
    ['limit', '0'],
    ['limit', '201'],
    ['limit', 'many'],
    ['cursor', 'x'],
    ['cursor', ''],
    ['cursor', '999999999999999999.00000000-0000-0000-0000-000000000000'],
    ['cursor', '1.00000000-0000-0000-0000-000000000000'],
    ['cursor', '1767225600123456.nope'],
    ['cursor', '%00'],
    ['colour', 'red'],
    ['__proto__', 'x'],
  ])('refuses %s=%s', async (name, value) => {
    const answer = await api.ask('GET', `/api/v1/jobs?${name}=${value}`);
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe(name);
  });

  test('refuses a parameter given twice', async () => {
    expectProblem(await api.ask('GET', '/api/v1/jobs?limit=1&limit=2'), 422, 'invalid_request');
  });
});

describe('cancelling', () => {
  test('ends a waiting or running job at once', async () => {
    const waits = await api.submit();
    const runs = await api.submit();
    await begin(api.database, runs);
    for (const id of [waits, runs]) {
      const answer = await post(id, 'cancel');
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ job_id: id, status: 'cancelled' });
      expect(answer.json.finished_at).not.toBeNull();
    }
  });

  test('a final job is a conflict', async () => {
    const id = await api.submit();
    await run(api.database, id, completed);
    expectProblem(await post(id, 'cancel'), 409, 'job_state_conflict');
  });

  test('needs no body, and accepts one', async () => {
    const answer = await api.ask('POST', `/api/v1/jobs/${await api.submit()}/cancel`, {
      raw: 'anything',
      headers: { 'content-type': 'text/plain' },
    });
    expect(answer.json.status).toBe('cancelled');
  });
});

describe('retrying', () => {
  test('queues a failed or a cancelled job again', async () => {
    const failing = await api.submit();
    await run(api.database, failing, failed);
    const cancelled = await api.submit();
    await post(cancelled, 'cancel');
    for (const id of [failing, cancelled]) {
      const answer = await post(id, 'retry');
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ job_id: id, status: 'queued', error: null, finished_at: null });
    }
  });

  test('a job that is running or completed is a conflict', async () => {
    const waits = await api.submit();
    const done = await api.submit();
    await run(api.database, done, completed);
    expectProblem(await post(waits, 'retry'), 409, 'job_state_conflict');
    expectProblem(await post(done, 'retry'), 409, 'job_state_conflict');
  });
});
