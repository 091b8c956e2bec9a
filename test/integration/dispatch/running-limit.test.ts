import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findJob } from '../../../db/jobs/read.ts';
import { settleExpiredRuns } from '../../../db/jobs/settle.ts';
import { createStage, type Stage } from './turns-fixture.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage('embedded');
});
afterAll(() => stage.stop());

test('claims of many workers at the same moment start no more than may run', async () => {
  const user = await stage.addUser({ limit: 3 });
  for (let round = 0; round < 5; round += 1) {
    const ids = await stage.accept(user, 12);
    const claims = await Promise.all(ids.map((id, at) => stage.claim(id, 0, `worker-${at}`)));
    const runs = claims.flatMap((claim) => (claim.kind === 'claimed' ? [claim.job] : []));
    expect(runs).toHaveLength(3);
    expect(new Set(claims.map(({ kind }) => kind))).toEqual(new Set(['claimed', 'over_limit']));
    for (const run of runs) await stage.complete(run);
  }
});

test('a job over the limit waits, at no cost, and says what for', async () => {
  const user = await stage.addUser({ limit: 1 });
  const [first = '', second = ''] = await stage.accept(user, 2);
  const run = await stage.claim(first);
  expect(await stage.claim(second)).toEqual({ kind: 'over_limit' });
  expect(await findJob(stage.database, user, second)).toMatchObject({
    status: 'queued',
    attempt: 0,
    attempts: [],
    error: null,
    waiting_for: { code: 'running_jobs', message: 'your other jobs (1 of 1 running)' },
  });
  if (run.kind === 'claimed') await stage.complete(run.job);
  expect(await findJob(stage.database, user, second)).toMatchObject({ waiting_for: { code: 'slot' } });
  expect(await stage.claim(second)).toMatchObject({ kind: 'claimed' });
  expect(await findJob(stage.database, user, second)).toMatchObject({ waiting_for: null });
});

test('a dead worker holds its place for as long as its lease, and no longer', async () => {
  const user = await stage.addUser({ limit: 1 });
  const [first = '', second = ''] = await stage.accept(user, 2);
  expect(await stage.claim(first, 0, 'killed-worker', 0)).toMatchObject({ kind: 'claimed' });
  expect(await stage.claim(second)).toEqual({ kind: 'over_limit' });
  const ended = await settleExpiredRuns(stage.database, { baseMs: 0, capMs: 0 }, 10);
  expect(ended.map(({ id }) => id)).toEqual([first]);
  expect(await stage.claim(second)).toMatchObject({ kind: 'claimed' });
});
