import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAccept } from '../../../api/jobs/accept.ts';
import { listUsers } from '../../../db/accounts/users.ts';
import { statement } from '../../../db/statement.ts';
import { type Logger, silentLogger } from '../../../runtime/log/logger.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Cable } from './api-cable.ts';
import { expectProblem, run, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
const cable = new Cable();
const logged: { event: string; fields: Record<string, unknown> | undefined }[] = [];
beforeAll(async () => {
  const logger: Logger = { ...silentLogger, error: (event, fields) => logged.push({ event, fields }) };
  api = await startApi({ logger, through: (url) => cable.through(url) });
});
afterAll(async () => {
  cable.mend();
  await api.stop();
  cable.remove();
});

const open = { key: null };
const BODY = { urls: ['https://example.com/'] };

describe('while the database is away', () => {
  test('requests get Retry-After, and are served as soon as it is back', async () => {
    await api.submit();
    cable.cut();
    const answer = await api.ask('POST', '/api/v1/jobs/scrape', { body: BODY });
    expectProblem(answer, 503, 'database_unavailable');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expectProblem(await api.ask('GET', '/api/v1/jobs'), 503, 'database_unavailable');
    expectProblem(await api.ask('GET', '/api/v1/jobs', { key: 'le_unknown' }), 503, 'database_unavailable');

    expect((await api.ask('GET', '/health/live', open)).status).toBe(200);
    const ready = await api.ask('GET', '/health/ready', open);
    expect({ status: ready.status, body: ready.json.status }).toEqual({ status: 503, body: 'unavailable' });
    expect((await api.ask('GET', '/metrics', open)).text).toContain('process_cpu_seconds_total');

    cable.mend();
    await waitFor(async () => (await api.ask('POST', '/api/v1/jobs/scrape', { body: BODY })).status === 202);
    expect((await api.ask('GET', '/health/ready', open)).json).toEqual({ status: 'ready' });
  });

  test('health and metrics answer in time, even if it stops responding', async () => {
    cable.freeze();
    const asked = performance.now();
    expect((await api.ask('GET', '/health/ready', open)).status).toBe(503);
    expect((await api.ask('GET', '/metrics', open)).status).toBe(200);
    expect(performance.now() - asked).toBeLessThan(8000);
    cable.mend();
    await waitFor(async () => (await api.ask('GET', '/health/ready', open)).status === 200);
  });

  test('it is logged with the affected request, without the key', async () => {
    expect(logged[0]).toMatchObject({
      event: 'database_unavailable',
      fields: { request_id: expect.any(String), route: expect.stringContaining('/api/v1/jobs') },
    });
    expect(JSON.stringify(logged)).not.toContain(api.adminKey);
  });

  test('long polls keep waiting', async () => {
    const id = await api.submit();
    const answer = api.ask('GET', `/api/v1/jobs/${id}?wait=30`);
    await waitFor(() => api.statements.at(-1) === 'list_finished', { what: 'a waiter' });
    cable.cut();
    await run(api.database, id, { kind: 'completed' });
    cable.mend();
    expect((await answer).json?.status).toBe('completed');
  });
});

test('while the database hangs, submissions beyond the limit get Retry-After', async () => {
  const accept = createAccept(api.database, 2);
  const [user] = await listUsers(api.database);
  const submission = { userId: String(user?.id), correlationId: 'hangs', specs: [BODY] };
  const waiting = await api.database.transaction(async (sql) => {
    await sql.query(statement('lock_jobs', 'LOCK TABLE jobs'));
    const held = [accept(submission), accept(submission)];
    await expect(accept(submission)).rejects.toMatchObject({ status: 503, code: 'overloaded' });
    return held;
  });
  for (const { kind } of await Promise.all(waiting)) expect(kind).toBe('accepted');
  expect((await accept(submission)).kind).toBe('accepted');
});

describe('a submission that the database refuses', () => {
  test('does not affect those that share its statement', async () => {
    // An error that validation should have caught: a check on the table represents any unforeseen
    // reason.
    await api.database.query(
      statement(
        'poison',
        "ALTER TABLE jobs ADD CONSTRAINT poison CHECK (spec->>'industry' IS DISTINCT FROM 'poison')",
      ),
    );
    const ask = (body: unknown, headers = {}) => api.ask('POST', '/api/v1/jobs/scrape', { body, headers });
    const good = Array.from({ length: 30 }, (_, n) => ask(BODY, n % 2 ? { 'idempotency-key': `k${n}` } : {}));
    const bad = [ask({ industry: 'poison' }), ask({ industry: 'poison' }, { 'idempotency-key': 'bad' })];
    const more = Array.from({ length: 30 }, () => ask(BODY));
    for (const answer of await Promise.all([...good, ...more])) expect(answer.status).toBe(202);
    for (const answer of await Promise.all(bad)) expectProblem(answer, 500, 'internal_error');
    expect(logged.at(-1)).toMatchObject({ event: 'request_failed', fields: { error: expect.any(Error) } });
  });
});
