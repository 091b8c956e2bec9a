import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deadLetterMessage } from '../../../db/events/dead-letters.ts';
import { expectProblem, run, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const failWith = (code: string) => ({ kind: 'fail', error: { code, message: 'it broke' } }) as const;
const failedJob = async (code: string, key?: string) => {
  const id = await api.submit({ urls: ['https://example.com/'] }, key);
  await run(api.database, id, failWith(code));
  return id;
};
const list = async (query = '') => (await api.ask('GET', `/api/v1/dead-letters${query}`)).json.dead_letters;

describe('dead letters', () => {
  test('a failed job is listed with its reason and its attempts', async () => {
    const id = await failedJob('dns_failed');
    expect(await list('?code=dns_failed')).toEqual([
      {
        id: expect.any(String),
        job_id: id,
        delivery_id: null,
        user_id: expect.any(String),
        queue: 'scrape_jobs',
        code: 'dns_failed',
        message: 'it broke',
        body: null,
        attempts: [expect.objectContaining({ attempt: 1, outcome: 'fail' })],
        created_at: expect.any(String),
      },
    ]);
  });

  test('a replayed job is queued again, keeps its history and leaves the list', async () => {
    const id = await failedJob('replay_me');
    const [letter] = await list('?code=replay_me');
    const answer = await api.ask('POST', `/api/v1/dead-letters/${letter.id}/requeue`);
    expect(answer).toMatchObject({ status: 200, json: { job_id: id, status: 'queued' } });
    const { json: job } = await api.ask('GET', `/api/v1/jobs/${id}`);
    expect(job).toMatchObject({ status: 'queued', attempt: 1, max_attempts: 4, error: null });
    expect(job.attempts).toHaveLength(1);
    expect(await list('?code=replay_me')).toEqual([]);
    expectProblem(await api.ask('POST', `/api/v1/dead-letters/${letter.id}/requeue`), 404, 'not_found');
  });

  test("a retry by the job's own user closes its dead letter too", async () => {
    const { key } = await api.addUser();
    const id = await failedJob('mine', key);
    expect(await list('?code=mine')).toHaveLength(1);
    await api.ask('POST', `/api/v1/jobs/${id}/retry`, { key });
    expect(await list('?code=mine')).toEqual([]);
  });

  test('many are replayed by a filter', async () => {
    const ids = [await failedJob('outage'), await failedJob('outage'), await failedJob('another')];
    const { json } = await api.ask('POST', '/api/v1/dead-letters/requeue', { body: { code: 'outage' } });
    expect(json).toEqual({
      requeued: 2,
      job_ids: expect.arrayContaining(ids.slice(0, 2)),
      delivery_ids: [],
    });
    expect(await list('?code=outage')).toEqual([]);
    expect(await list('?code=another')).toHaveLength(1);
  });

  test('permanent failures are replayed only on request', async () => {
    const body = { created_after: new Date().toISOString() };
    const permanent = await failedJob('hopeless_before');
    const spent = await api.submit({ urls: ['https://example.com/'], max_attempts: 1 });
    const error = { code: 'late', message: 'too late' };
    await run(api.database, spent, { kind: 'retry', error });
    const requeue = (more = {}) =>
      api.ask('POST', '/api/v1/dead-letters/requeue', { body: { ...body, ...more } });
    expect((await requeue()).json.job_ids).toEqual([spent]);
    expect((await requeue()).json.job_ids).toEqual([]);
    expect((await requeue({ permanent: true })).json.job_ids).toEqual([permanent]);
  });

  test('a discarded one leaves the list, and its job stays failed', async () => {
    const id = await failedJob('hopeless');
    const [letter] = await list('?code=hopeless');
    expect((await api.ask('DELETE', `/api/v1/dead-letters/${letter.id}`)).status).toBe(204);
    expect(await list('?code=hopeless')).toEqual([]);
    expect((await api.ask('GET', `/api/v1/jobs/${id}`)).json.status).toBe('failed');
    expectProblem(await api.ask('DELETE', `/api/v1/dead-letters/${letter.id}`), 404, 'not_found');
  });

  test('an unreadable message is kept once, with its beginning, and cannot be run', async () => {
    const message = { queue: 'scrape_jobs', reason: 'message is not JSON', body: Buffer.from('{"a\0') };
    await deadLetterMessage(api.database, message);
    await deadLetterMessage(api.database, message);
    const letters = await list('?code=unreadable_message');
    expect(letters).toMatchObject([{ job_id: null, message: 'message is not JSON', body: '{"a\ufffd' }]);
    const answer = await api.ask('POST', `/api/v1/dead-letters/${letters[0].id}/requeue`);
    expectProblem(answer, 409, 'not_requeueable');
  });

  test('pages follow each other, newest first', async () => {
    for (const _ of [1, 2, 3]) await failedJob('paged');
    const first = (await api.ask('GET', '/api/v1/dead-letters?code=paged&limit=2')).json;
    const second = (
      await api.ask('GET', `/api/v1/dead-letters?code=paged&limit=2&cursor=${first.next_cursor}`)
    ).json;
    expect([first.dead_letters.length, second.dead_letters.length]).toEqual([2, 1]);
    expect(second.next_cursor).toBeNull();
    const ids = [...first.dead_letters, ...second.dead_letters].map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
  });

  test('they are visible only to the admin', async () => {
    const { key } = await api.addUser();
    expectProblem(await api.ask('GET', '/api/v1/dead-letters', { key }), 403, 'forbidden');
    const path = '/api/v1/dead-letters/requeue';
    expectProblem(await api.ask('POST', path, { key, body: {} }), 403, 'forbidden');
  });

  test('an invalid filter is named', async () => {
    const answer = await api.ask('GET', '/api/v1/dead-letters?user_id=me');
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors).toEqual([{ path: 'user_id', message: expect.any(String) }]);
  });
});
