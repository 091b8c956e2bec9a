import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startApi, type TestApi } from './api-fixture.ts';
import { createFuzzer } from './fuzzer.ts';

/**
 * `API_FUZZ=20000 node scripts/jest.mjs --selectProjects system -- api-fuzz` is a long run;
 * `API_FUZZ_SEED` changes the seed.
 */
const REQUESTS = Number(process.env.API_FUZZ ?? 1500);
const SEED = Number(process.env.API_FUZZ_SEED ?? 20261130);

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ mapWaitMs: 0, streams: { perUser: 1_000_000 } });
});
afterAll(() => api.stop());

interface Answer {
  status: number;
  head: string;
  body: string;
}

/** One request on a connection of its own with `Connection: close`. Status 0 is no HTTP answer. */
const exchange = (text: string): Promise<Answer> =>
  new Promise((resolve) => {
    const parts: Buffer[] = [];
    // Longer than any answer takes on a busy machine; only a hang takes longer.
    const late = setTimeout(() => socket.destroy(new Error('late')), 60_000);
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(api.url).port) });
    socket.on('data', (part) => {
      parts.push(part);
      // A stream of events stays open.
      if (part.includes('text/event-stream')) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', (isLate) => {
      clearTimeout(late);
      if (isLate) parts.splice(0);
      const [head = '', ...body] = Buffer.concat(parts)
        .toString('latin1')
        // Some requests wait for leave to send their body.
        .replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')
        .split('\r\n\r\n');
      resolve({
        status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0),
        head,
        body: body.join('\r\n\r\n'),
      });
    });
    socket.write(text, 'latin1');
  });

/** What is wrong with an answer, or null. */
function problemOf({ status, head, body }: Answer, method: string): string | null {
  if (status === 0) return 'no answer';
  if (status >= 500 && !(status === 503 && /^retry-after: /im.test(head))) return `${status}`;
  if (status < 400 || method === 'HEAD') return null;
  // Answers to visitors of short links.
  if (/^content-type: text\/html/im.test(head)) return null;
  if (!/^content-type: application\/problem\+json/im.test(head)) return `${status} is no problem+json`;
  // A compressed problem is one as well.
  if (/^content-encoding: /im.test(head)) return null;
  const json = JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1));
  return json.status === status && /^[a-z_]+$/.test(json.code) ? null : `${status} has no code`;
}

test(`${REQUESTS} requests of every kind are answered, and none with a failure`, async () => {
  const jobId = await api.submit();
  const { json: link } = await api.ask('POST', '/api/v1/links', { body: { url: 'https://example.com/' } });
  const { json: share } = await api.ask('POST', '/api/v1/links', { body: { share: true, job_id: jobId } });
  const fuzzer = createFuzzer(SEED, { key: api.adminKey, ids: [jobId], codes: [link.code, share.code] });
  const statuses = new Map<number, number>();
  const wrong: { request: string; what: string }[] = [];

  const fuzz = async () => {
    for (let request = fuzzer.next(); fuzzer.made <= REQUESTS; request = fuzzer.next()) {
      const answer = await exchange(request.text);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const what = problemOf(answer, request.method);
      if (what !== null) wrong.push({ request: request.text.slice(0, 400), what });
    }
  };
  await Promise.all([fuzz(), fuzz(), fuzz(), fuzz()]);

  expect(wrong.slice(0, 20)).toEqual([]);
  // Some requests passed authentication, and they were refused for several reasons.
  for (const status of [200, 202, 404, 405, 422]) expect(statuses.get(status) ?? 0).toBeGreaterThan(0);
  expect((await api.ask('GET', '/health/ready')).status).toBe(200);
  await api.submit();
});
