import { afterEach, describe, expect, test } from '@jest/globals';
import { statement } from '../../../db/statement.ts';
import { createStage, type Stage } from './turns-fixture.ts';

describe.each(['rabbitmq', 'embedded'] as const)('on %s', (driver) => {
  let stage: Stage;
  afterEach(() => stage.stop());

  /** Lets one slot work; returns the users whose jobs started, in order. */
  async function work(turns: number, slotMs: (userId: string) => number = () => 0): Promise<string[]> {
    const started: string[] = [];
    while (started.length < turns) {
      await stage.schedule();
      const claim = await stage.deliver();
      if (claim.kind !== 'claimed') continue;
      started.push(claim.job.userId);
      await stage.complete(claim.job, slotMs(claim.job.userId));
    }
    return started;
  }

  test("ten jobs behind another user's 10,000 take twice as many turns as alone, and no more", async () => {
    stage = await createStage(driver);
    const flood = await stage.addUser();
    const other = await stage.addUser();
    await stage.accept(flood, 10_000, { priority: 9 });
    await work(5);
    await stage.accept(other, 10);
    const started = await work(20);
    expect(started.filter((user) => user === other)).toHaveLength(10);
    // And nobody's slot is idle when the other is done.
    expect(new Set(await work(3))).toEqual(new Set([flood]));
  }, 60_000);

  test('a user with three times the weight gets three times the turns', async () => {
    stage = await createStage(driver);
    const heavy = await stage.addUser({ weight: 3 });
    const light = await stage.addUser();
    await stage.accept(heavy, 100);
    await stage.accept(light, 100);
    const started = await work(24);
    expect(started.filter((user) => user === heavy)).toHaveLength(18);
  });

  test('jobs that have a slot for ten times as long get a tenth of the turns', async () => {
    stage = await createStage(driver);
    const crawls = await stage.addUser();
    const pages = await stage.addUser();
    await stage.accept(crawls, 100);
    await stage.accept(pages, 100);
    const started = await work(33, (user) => (user === crawls ? 1000 : 100));
    const turns = started.filter((user) => user === crawls).length;
    // The jobs on the queue at first were put there before it was known what they take.
    expect(turns).toBeGreaterThanOrEqual(3);
    expect(turns).toBeLessThanOrEqual(6);
  });

  test('who was idle has saved up nothing', async () => {
    stage = await createStage(driver);
    const busy = await stage.addUser();
    const idle = await stage.addUser();
    await stage.accept(idle, 1);
    await work(1);
    await stage.accept(busy, 100);
    await work(10, () => 5000);
    await stage.schedule();
    await stage.accept(idle, 100);
    const started = await work(20);
    expect(started.filter((user) => user === busy).length).toBeGreaterThanOrEqual(7);
  });

  test("a user's urgent job starts before their others on the queue, and not before those of others", async () => {
    stage = await createStage(driver);
    const one = await stage.addUser();
    const two = await stage.addUser();
    const [first] = await stage.accept(one, 1, { priority: 1 });
    const [theirs] = await stage.accept(two, 1);
    await stage.schedule();
    const [urgent] = await stage.accept(one, 1, { priority: 8 });
    const started: string[] = [];
    while (started.length < 3) {
      await stage.schedule();
      const claim = await stage.deliver();
      if (claim.kind === 'claimed') started.push(claim.id);
    }
    expect(started.indexOf(urgent ?? '')).toBeLessThan(started.indexOf(first ?? ''));
    expect(started.indexOf(theirs ?? '')).toBeLessThan(2);
    expect(started).toHaveLength(3);
  });

  test('a job waits for its time, and then for the turn of its user', async () => {
    stage = await createStage(driver);
    const user = await stage.addUser();
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const [due] = await stage.accept(user, 1, { run_at: later, priority: 9 });
    await stage.accept(user, 3);
    await work(2);
    await stage.database.query(COMES_DUE, [due]);
    await stage.schedule();
    let claim = await stage.deliver();
    while (claim.kind !== 'claimed') {
      await stage.schedule();
      claim = await stage.deliver();
    }
    expect(claim.id).toBe(due);
  });

  test('no more jobs of a user are put on the queue than may run', async () => {
    stage = await createStage(driver, { slots: 8 });
    const limited = await stage.addUser({ limit: 2 });
    const other = await stage.addUser();
    await stage.accept(limited, 5);
    await stage.schedule();
    const runs = [await stage.deliver(), await stage.deliver()];
    await stage.schedule();
    expect(await stage.depth()).toBe(0);
    // Others go on.
    await stage.accept(other, 1);
    await stage.schedule();
    expect(await stage.deliver()).toMatchObject({ kind: 'claimed', job: { userId: other } });

    await stage.setLimit(limited, 3);
    await stage.schedule();
    runs.push(await stage.deliver());
    expect(runs.map(({ kind }) => kind)).toEqual(['claimed', 'claimed', 'claimed']);

    await stage.setLimit(limited, 1);
    for (const run of runs) {
      await stage.schedule();
      expect(await stage.depth()).toBe(0);
      if (run.kind === 'claimed') await stage.complete(run.job);
    }
    await stage.schedule();
    expect(await stage.deliver()).toMatchObject({ kind: 'claimed' });
    await stage.schedule();
    expect(await stage.depth()).toBe(0);
  });
});

const COMES_DUE = statement(
  'test_comes_due',
  "UPDATE jobs SET run_at = now() - interval '1 s' WHERE id = $1",
);
