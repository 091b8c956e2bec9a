import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run, startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
const logged: Record<string, unknown>[] = [];
beforeAll(async () => {
  const { silentLogger } = await import('../../../runtime/log/logger.ts');
  const debug = (event: string, fields?: Record<string, unknown>) => logged.push({ event, ...fields });
  api = await startApi({ logger: { ...silentLogger, debug }, accessLog: true });
});
afterAll(() => api.stop());

const ask = (path: string) => api.ask('GET', path, { key: null });

describe('without a key', () => {
  test('health reports that the process runs, accepts jobs and has a queue', async () => {
    expect((await ask('/health/live')).json).toEqual({ status: 'alive' });
    expect((await ask('/health/ready')).json).toEqual({ status: 'ready' });
    const queue = await ask('/health/rabbitmq');
    expect(queue.status).toBe(200);
    expect(queue.json).toEqual({ status: 'healthy', driver: 'embedded' });
  });

  test('metrics count requests by route template and jobs by state', async () => {
    for (let n = 0; n < 3; n += 1) await api.submit();
    await run(api.database, await api.submit(), { kind: 'completed' });
    await run(api.database, await api.submit(), {
      kind: 'retry',
      error: { code: 'x', message: 'x' },
    });
    await ask('/no/such/path');
    const answer = await ask('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(answer.text).toContain('leadengine_jobs_waiting 3');
    expect(answer.text).toContain('leadengine_jobs{state="queued"} 3');
    expect(answer.text).toContain('leadengine_jobs{state="retrying"} 1');
    expect(answer.text).toContain('leadengine_jobs{state="running"} 0');
    expect(answer.text).toMatch(
      /leadengine_http_request_duration_seconds_count\{method="POST",route="\/api\/v1\/jobs\/scrape",status="202"\} 5/,
    );
    expect(answer.text).toContain('route="unmatched"');
    expect(answer.text).not.toContain('/no/such/path');
  });
});

test('the access log names the route and the user, and neither keys nor queries', async () => {
  await api.ask('GET', '/api/v1/jobs?status=completed', { headers: { 'x-request-id': 'look-for-me' } });
  const line = logged.find(({ request_id }) => request_id === 'look-for-me');
  expect(line).toMatchObject({
    event: 'http_request',
    method: 'GET',
    route: '/api/v1/jobs',
    path: '/api/v1/jobs',
    status: 200,
    duration_ms: expect.any(Number),
    user_id: expect.any(String),
  });
  expect(JSON.stringify(logged)).not.toContain(api.adminKey);
});
