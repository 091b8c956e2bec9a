import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FINISHED_CHANNEL } from '../../../db/jobs/finished.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { createWorker, type Worker } from '../../../workers/scraper/worker.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startApi, type TestApi } from '../api/api-fixture.ts';

let api: TestApi;
let worker: Worker;
beforeAll(async () => {
  api = await startApi();
  worker = createWorker({
    ...{ database: api.database, queue: api.queue, logger: silentLogger, slots: 1 },
    ...{ leaseMs: 15_000, jobTimeoutMs: 60_000, shutdownGraceMs: 1000, retry: { baseMs: 1, capMs: 1 } },
    onFatal: () => {},
    resolve: () => async () => ({ kind: 'completed' }),
  });
  await worker.start();
});
afterAll(async () => {
  await worker?.stop();
  await api?.stop();
});

test('the end of a job is announced if a request waits for it', async () => {
  const announced: string[] = [];
  const listening = api.database.listen(FINISHED_CHANNEL, (id) => announced.push(id));
  const waiting = () => api.ask('POST', '/api/v1/scrape', { body: { url: 'https://example.com/' } });
  // More than one, because the first may end before this listens.
  const first = await waitFor(
    async () => {
      const { json } = await waiting();
      return announced.includes(json.job_id) ? json : undefined;
    },
    { what: 'an announced end' },
  );
  expect(first.status).toBe('completed');

  const unawaited = await api.submit();
  await api.ask('GET', `/api/v1/jobs/${unawaited}?wait=30`);
  const last = (await waiting()).json.job_id;
  await waitFor(async () => announced.includes(last), { what: 'the end of the last job' });
  expect(announced).not.toContain(unawaited);
  await listening.stop();
});
