import { connect, type Database } from '../../../db/connect.ts';
import { type HostRequest, joinQueue, syncPermits } from '../../../db/sites/hosts.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { createHostLimiter, type HostLimiter } from '../../../workers/scraper/politeness/host-limiter.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

/** Permits of hosts on a real Postgres, with several processes' worth of connections. */

let testDatabase: TestDatabase;
let databases: Database[];
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const options = {
    url: testDatabase.url,
    poolSize: 4,
    applicationName: 'host-limiter-test',
    logger: silentLogger,
  };
  databases = [connect(options), connect(options), connect(options)];
});
afterAll(async () => {
  await Promise.all(databases.map((database) => database.stop()));
  await testDatabase.drop();
});

const never = new AbortController().signal;
const plain = { gapMs: 0, isResumed: false };
const limiters = (concurrency: number): HostLimiter[] =>
  databases.map((database) =>
    createHostLimiter({ database, logger: silentLogger, concurrency, leaseMs: 15_000 }),
  );

/** Requests of one process from now on. */
function countStatements(database: Database | undefined): () => number {
  if (!database) throw new Error('there are three');
  let count = 0;
  const { query } = database;
  database.query = (...statement) => {
    count += 1;
    return query(...statement);
  };
  return () => count;
}

async function take(limiter: HostLimiter, host: string, wish = plain) {
  const permit = await limiter.acquire(host, wish, never);
  if (permit.kind !== 'granted') throw new Error(`no permit of ${host}: wait ${permit.ms} ms`);
  return permit;
}

test('three concurrent processes get no more permits than the limit', async () => {
  const all = limiters(4);
  let inside = 0;
  let most = 0;
  const visit = async (limiter: HostLimiter) => {
    for (let page = 0; page < 10; page += 1) {
      const permit = await limiter.acquire('busy.example', { gapMs: 0, isResumed: true }, never);
      if (permit.kind !== 'granted') {
        page -= 1;
        continue;
      }
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 2));
      inside -= 1;
      permit.release();
    }
  };
  await Promise.all(all.flatMap((limiter) => [visit(limiter), visit(limiter), visit(limiter)]));
  expect(most).toBe(4);
  await Promise.all(all.map((limiter) => limiter.stop()));
});

test('a permit given back is available to another process, and giving it back twice counts once', async () => {
  const [first, second] = limiters(1);
  if (!first || !second) throw new Error('there are three');
  const permit = await take(first, 'single.example');
  const waiting = take(second, 'single.example');
  permit.release();
  permit.release();
  const next = await waiting;
  expect((await first.acquire('single.example', plain, never)).kind).toBe('wait');
  next.release();
  await Promise.all([first.stop(), second.stop()]);
});

test('stopping gives back all permits', async () => {
  const [first, second] = limiters(1);
  if (!first || !second) throw new Error('there are three');
  await take(first, 'stopped.example');
  await first.stop();
  const permit = await take(second, 'stopped.example');
  permit.release();
  await second.stop();
});

test('a pause holds for every process, and takes effect at once', async () => {
  const [first, second] = limiters(8);
  if (!first || !second) throw new Error('there are three');
  (await take(first, 'paused.example')).release(60_000);
  await first.stop();
  const permit = await second.acquire('paused.example', plain, never);
  expect(permit).toEqual({ kind: 'wait', ms: expect.any(Number) });
  if (permit.kind === 'wait') expect(permit.ms).toBeGreaterThan(50_000);
  await second.stop();
});

test('permits are reused from page to page for a moment, and not once there is a pause', async () => {
  const [first, second] = limiters(8);
  if (!first || !second) throw new Error('there are three');
  const asked = countStatements(databases[0]);
  // One after the other, like the pages of a fast site.
  for (let page = 0; page < 40; page += 1) (await take(first, 'fast.example')).release();
  expect(asked()).toBeLessThan(30);
  (await take(second, 'fast.example')).release(60_000);
  await second.stop();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await first.acquire('fast.example', plain, never)).kind).toBe('wait');
  await first.stop();
});

test('no permit is reused in a pause that is short enough to wait for', async () => {
  const [first, second] = limiters(16);
  if (!first || !second) throw new Error('there are three');
  const held = await Promise.all(Array.from({ length: 8 }, () => take(first, 'brief.example')));
  const asking = await take(second, 'brief.example');
  const pausedUntil = performance.now() + 690;
  asking.release(700);
  await second.stop();
  const starts: number[] = [];
  const taken: Promise<void>[] = [];
  const started = (permit: { release(): void }) => {
    starts.push(performance.now());
    permit.release();
  };
  for (const permit of held) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    taken.push(take(first, 'brief.example').then(started));
    // It has its answer by now: a start after the pause. A page ends, and another wants to start.
    await new Promise((resolve) => setTimeout(resolve, 8));
    permit.release();
    taken.push(take(first, 'brief.example').then(started));
  }
  await Promise.all(taken);
  expect(Math.min(...starts)).toBeGreaterThanOrEqual(pausedUntil);
  await first.stop();
});

test('with a gap every permit is requested', async () => {
  const [limiter] = limiters(8);
  if (!limiter) throw new Error('there are three');
  const asked = countStatements(databases[0]);
  for (let page = 0; page < 4; page += 1)
    (await take(limiter, 'slow.example', { ...plain, gapMs: 5 })).release();
  expect(asked()).toBeGreaterThanOrEqual(4);
  await limiter.stop();
});

test('a cancelled request leaves no permit taken', async () => {
  const [limiter] = limiters(1);
  if (!limiter) throw new Error('there are three');
  const gone = new AbortController();
  const permit = limiter.acquire('left.example', plain, gone.signal);
  gone.abort(new Error('cancelled'));
  await expect(permit).rejects.toThrow('cancelled');
  (await take(limiter, 'left.example')).release();
  await limiter.stop();
});

describe('the statement', () => {
  const limits = { maxPermits: 2, maxWaitMs: 2000, leaseMs: 15_000 };
  const ask = async (request: Partial<HostRequest> & { host: string }, more: Partial<typeof limits> = {}) => {
    const [database] = databases;
    if (!database) throw new Error('there are three');
    const whole = { ids: [], resumed: 0, released: [], renewed: [], pauseMs: 0, gapMs: 0, ...request };
    const [answer] = await syncPermits(database, { ...limits, ...more }, [whole]);
    if (!answer) throw new Error('no answer');
    return answer;
  };

  test('gives starts a gap apart, and none further ahead than the longest wait', async () => {
    const host = 'gap.example';
    const first = await ask({ host, ids: ['a', 'b', 'c', 'd'], gapMs: 900 }, { maxPermits: 10 });
    expect(first).toMatchObject({ granted: 3, startMs: 0 });
    expect(first.closedMs).toBe(2700);
    const later = await ask({ host, ids: ['d'], gapMs: 900 }, { maxPermits: 10 });
    expect(later.granted).toBe(0);
    expect(later.closedMs).toBeGreaterThan(2000);
  });

  test('frees the permits of a process that is gone when their lease ends', async () => {
    const host = 'crashed.example';
    expect((await ask({ host, ids: ['a', 'b'] }, { leaseMs: -2001 })).granted).toBe(2);
    expect((await ask({ host, ids: ['c', 'd'] })).granted).toBe(2);
    expect((await ask({ host, ids: ['e'] })).granted).toBe(0);
  });

  test('keeps those that are renewed', async () => {
    const host = 'renewed.example';
    await ask({ host, ids: ['a', 'b'] }, { leaseMs: -1000 });
    await ask({ host, renewed: ['a'] });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await ask({ host, ids: ['c', 'd'] })).granted).toBe(1);
  });

  test('lets resumed jobs go first', async () => {
    const host = 'line.example';
    const [database] = databases;
    if (!database) throw new Error('there are three');
    await ask({ host, ids: ['a', 'b'] });
    const first = await joinQueue(database, host, 5000);
    const second = await joinQueue(database, host, 5000);
    expect(second - first).toBeGreaterThan(4000);
    await ask({ host, released: ['a', 'b'] });
    expect(await ask({ host, ids: ['new'] })).toMatchObject({ granted: 0, hasQueue: true });
    expect(await ask({ host, ids: ['back', 'new'], resumed: 1 })).toMatchObject({
      granted: 1,
      hasQueue: true,
    });
  });
});
