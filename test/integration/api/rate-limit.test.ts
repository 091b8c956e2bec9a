import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ApiRequest, ApiResponse, Locals } from '../../../api/http/route.ts';
import { createRateLimit, type RateLimit } from '../../../api/middleware/rate-limit.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startApi, type TestApi } from './api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const LIMIT = 200;

test('API processes share what a user may send, and one alone has all of it', async () => {
  const { userId } = await api.addUser();
  const processes = [1, 2].map(() =>
    createRateLimit({ sql: api.database, logger: silentLogger, defaultPerSecond: LIMIT, tickMs: 200 }),
  );
  const [one, two] = processes as [RateLimit, RateLimit];
  const perSecond = () => one.perSecondOf(userId) + two.perSecondOf(userId);
  const senders = processes.map((process) => send(process, userId));
  try {
    // As long as both are flooded they hold it together, half each.
    await waitFor(
      () => perSecond() > LIMIT * 0.7 && perSecond() < LIMIT * 1.2 && isHalf(one.perSecondOf(userId)),
    );
    clearInterval(senders[1]);
    await waitFor(() => one.perSecondOf(userId) > LIMIT * 0.8);
  } finally {
    for (const sender of senders) clearInterval(sender);
    await Promise.all(processes.map((process) => process.stop()));
  }
});

const isHalf = (rate: number): boolean => rate > LIMIT * 0.3 && rate < LIMIT * 0.7;

/** Many more requests than are allowed. */
const send = ({ middleware }: RateLimit, userId: string) =>
  setInterval(() => {
    for (let count = 0; count < 20; count += 1) {
      const locals = { caller: { userId, limits: {} } } as Partial<Locals>;
      middleware({} as ApiRequest, { locals } as ApiResponse, () => {});
    }
  }, 10);

test('answers say what is left, and one that is refused says when to come again', async () => {
  const { userId, key } = await api.addUser();
  const body = { requests_per_second: 2 };
  await api.ask('PATCH', `/api/v1/users/${userId}/limits`, { body });
  const ask = () => api.ask('GET', '/api/v1/jobs', { key });
  const first = await ask();
  expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=1');
  expect(first.headers.get('ratelimit')).toMatch(/^"requests";r=[01];t=1$/);
  const answers = await Promise.all(Array.from({ length: 10 }, ask));
  const refused = answers.find(({ status }) => status === 429);
  expect(refused?.json).toMatchObject({
    ...{ code: 'rate_limited', limit: 'requests_per_second', scope: 'user', limit_value: 2 },
    ...{ used: expect.any(Number), free_at: expect.any(String) },
  });
  expect(refused?.headers.get('ratelimit')).toBe('"requests";r=0;t=1');
  expect(refused?.headers.get('retry-after')).toBe('1');
});
