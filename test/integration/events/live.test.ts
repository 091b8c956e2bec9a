import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../../db/connect.ts';
import { storePages } from '../../../db/jobs/run.ts';
import { settleJobs } from '../../../db/jobs/settle.ts';
import { statement } from '../../../db/statement.ts';
import { openSse, type SseClient } from '../../support/sse.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Cable } from '../api/api-cable.ts';
import {
  aPage,
  begin,
  expectProblem,
  ledgerSettled,
  run,
  startApi,
  type TestApi,
} from '../api/api-fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ streams: { perUser: 8, perProcess: 20, beatMs: 100, stalledMs: 3000 } });
});
afterAll(() => api.stop());

const opened: SseClient[] = [];
afterEach(async () => {
  for (const client of opened.splice(0)) {
    client.close();
    await client.closed;
  }
  await waitFor(async () => (await metric('leadengine_event_streams{kind="sse"}')) === 0, {
    what: 'the streams to be counted out',
  });
});

const listen = async (path: string, key = api.adminKey, headers: Record<string, string> = {}) => {
  const client = await openSse(`${api.url}/api/v1${path}`, { key, headers });
  opened.push(client);
  return client;
};
const metric = async (line: string): Promise<number> => {
  const { text } = await api.ask('GET', '/metrics');
  const found = text.split('\n').find((candidate) => candidate.startsWith(line));
  return found ? Number(found.slice(line.length)) : 0;
};
/**
 * "From now on" starts at the ledger's settled end: a transaction open anywhere on the server
 * delays that by its age.
 */
const JOBS = '/events?type=job.*';
const resume = (client: SseClient) => ({ 'last-event-id': client.lastEventId() });

describe('GET /jobs/{id}/events', () => {
  test('begins with past events, continues as they happen, and ends with the job', async () => {
    const id = await api.submit();
    const stream = await listen(`/jobs/${id}/events`);
    expect(stream.status).toBe(200);
    expect(stream.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(stream.headers['cache-control']).toContain('no-store');
    await stream.until(({ length }) => length === 1);

    const job = await begin(api.database, id);
    await stream.until(({ length }) => length === 2);
    await storePages(api.database, job, [PAGE]);
    await settleJobs(api.database, [{ run: job, transition: COMPLETED }]);

    expect(await stream.closed).toBe('ended');
    expect(stream.types()).toEqual(['job.created', 'job.started', 'job.progress', 'job.completed']);
    for (const { id: frameId, event, data } of stream.frames) {
      expect(data).toMatchObject({ cursor: frameId, type: event, data: { job_id: id } });
    }
  });

  test('shows a job’s whole life to a late client', async () => {
    const id = await api.submit();
    await run(api.database, id, { kind: 'fail', error: { code: 'timeout', message: 'late' } });
    const stream = await listen(`/jobs/${id}/events`);
    expect(await stream.closed).toBe('ended');
    expect(stream.types()).toEqual(['job.created', 'job.started', 'job.failed']);
  });

  test('continues past the end if the job was run again', async () => {
    const id = await api.submit();
    await run(api.database, id, { kind: 'fail', error: { code: 'timeout', message: 'late' } });
    const first = await listen(`/jobs/${id}/events`);
    await first.closed;
    await api.ask('POST', `/api/v1/jobs/${id}/retry`);

    const second = await listen(`/jobs/${id}/events`, api.adminKey, resume(first));
    await second.until(({ length }) => length === 1);
    await api.ask('POST', `/api/v1/jobs/${id}/cancel`);
    expect(await second.closed).toBe('ended');
    expect(second.types()).toEqual(['job.requeued', 'job.cancelled']);
  });

  test('stops an EventSource that has seen the end from reconnecting', async () => {
    const id = await api.submit();
    await api.ask('POST', `/api/v1/jobs/${id}/cancel`);
    const first = await listen(`/jobs/${id}/events`);
    await first.closed;
    const again = await listen(`/jobs/${id}/events`, api.adminKey, resume(first));
    expect(again.status).toBe(204);
    expect(again.text()).toBe('');
  });

  test('ends with the job even if its last event is filtered out', async () => {
    const id = await api.submit();
    const stream = await listen(`/jobs/${id}/events?type=job.started`);
    await run(api.database, id, { kind: 'completed' });
    expect(await stream.closed).toBe('ended');
    expect(stream.types()).toEqual(['job.started']);
  });

  test('of another user is not found', async () => {
    const { key } = await api.addUser();
    const id = await api.submit();
    expectProblem(await api.ask('GET', `/api/v1/jobs/${id}/events`, { key }), 404, 'not_found');
  });
});

describe('GET /events', () => {
  test('sends a user all of their events from now on, and none of others', async () => {
    const one = await api.addUser();
    const other = await api.addUser();
    const stream = await listen(JOBS, one.key);
    await api.submit(undefined, other.key);
    const id = await api.submit(undefined, one.key);
    await api.submit(undefined, other.key);
    await run(api.database, id, { kind: 'completed' });
    await stream.until((frames) => frames.some(({ event }) => event === 'job.completed'));
    expect(stream.types()).toEqual(['job.created', 'job.started', 'job.completed']);
    expect(stream.isClosed()).toBe(false);
  });

  test('gives a client a resume position before its first event', async () => {
    const { key } = await api.addUser();
    const first = await listen(JOBS, key);
    await waitFor(() => first.lastEventId() !== '');
    first.close();
    await first.closed;
    await api.submit(undefined, key);
    const second = await listen(JOBS, key, resume(first));
    await second.until(({ length }) => length === 1);
    expect(second.types()).toEqual(['job.created']);
  });

  test('resumes by header or query, the header first, without gaps or repeats', async () => {
    const { key } = await api.addUser();
    for (let n = 0; n < 5; n += 1) await api.submit(undefined, key);
    await ledgerSettled(api.database);
    const all = (await api.ask('GET', '/api/v1/events?format=json', { key })).json.events;
    const cursors: string[] = all.map(({ cursor }: { cursor: string }) => cursor);
    const behind = async (path: string, headers = {}) => {
      const stream = await listen(path, key, headers);
      await stream.until((frames) => frames.at(-1)?.id === cursors.at(-1));
      return stream.frames.map(({ id }) => id);
    };
    expect(await behind(`/events?last_event_id=${cursors[2]}`)).toEqual(cursors.slice(3));
    expect(await behind(`/events?format=sse&after=${cursors[3]}`)).toEqual(cursors.slice(4));
    const header = { 'last-event-id': String(cursors[1]) };
    expect(await behind(`/events?last_event_id=${cursors[3]}`, header)).toEqual(cursors.slice(2));
  });

  test('sends only the requested types', async () => {
    const { key } = await api.addUser();
    const stream = await listen('/events?type=job.completed,job.failed', key);
    const id = await api.submit(undefined, key);
    await run(api.database, id, { kind: 'completed' });
    await stream.until(({ length }) => length === 1);
    expect(stream.types()).toEqual(['job.completed']);
  });

  test('sends comments while it is idle', async () => {
    const stream = await listen('/events?type=lead.found');
    await waitFor(() => stream.comments() >= 2, { what: 'heartbeats' });
    expect(stream.frames).toEqual([]);
  });

  test('has headers and no body for HEAD', async () => {
    const stream = await openSse(`${api.url}/api/v1/events`, { key: api.adminKey, method: 'HEAD' });
    expect(stream.headers['content-type']).toBe('text/event-stream');
    expect(await stream.closed).toBe('ended');
  });

  test.each([['yesterday'], ['1-2-3'], ['-1'], ['18446744073709551616-1']])(
    'a Last-Event-ID that is none (%s) is refused',
    async (id) => {
      expectProblem(
        await api.ask('GET', '/api/v1/events', { headers: { 'last-event-id': id } }),
        422,
        'invalid_request',
      );
    },
  );

  test('refuses a place beyond the end of this ledger, without waiting', async () => {
    const headers = { 'last-event-id': '9000000000-1' };
    const answer = await api.ask('GET', '/api/v1/events', { headers });
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe('Last-Event-ID');
  });

  test('needs a key, and ends when it is revoked', async () => {
    expectProblem(await api.ask('GET', '/api/v1/events', { key: null }), 401, 'unauthorized');
    const { key, keyId } = await api.addUser();
    const stream = await listen('/events', key);
    await api.ask('DELETE', `/api/v1/keys/${keyId}`);
    expect(await stream.closed).toBe('ended');
  });

  test('a user has a limited number of streams', async () => {
    const { key } = await api.addUser();
    for (let n = 0; n < 8; n += 1) await listen('/events', key);
    const answer = await api.ask('GET', '/api/v1/events', { key });
    expectProblem(answer, 429, 'too_many_streams');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    opened[0]?.close();
    await waitFor(async () => (await listen('/events', key)).status === 200, { what: 'a free place' });
  });

  test('a process has a limited number of streams', async () => {
    const users = [await api.addUser(), await api.addUser(), await api.addUser()];
    for (const [index, { key }] of users.entries()) {
      for (let n = 0; n < (index < 2 ? 8 : 4); n += 1) await listen('/events', key);
    }
    expectProblem(await api.ask('GET', '/api/v1/events', { key: users[2]?.key ?? '' }), 503, 'overloaded');
  });
});

describe('a reader that is too slow', () => {
  /** More than the process and the kernel's buffers on both sides hold together. */
  const writeMuch = async (userId: string, database = api.database) => {
    for (let n = 0; n < 40; n += 1) await writeEvents(database, userId, 20, 50_000);
  };
  const EVERYTHING = Array.from({ length: 800 }, (_, n) => n);
  const numbersOf = (...clients: SseClient[]) =>
    clients.flatMap(({ frames }) => frames.map(({ data }) => data.data.done));

  test('is disconnected without unbounded buffering, and misses nothing when it reconnects', async () => {
    const { key, userId } = await api.addUser();
    const droppedBefore = await metric('leadengine_event_streams_dropped_total{kind="sse"}');
    const stream = await listen(JOBS, key);
    stream.pause();
    await writeMuch(userId);
    await waitFor(
      async () => (await metric('leadengine_event_streams_dropped_total{kind="sse"}')) > droppedBefore,
      {
        what: 'the reader to be dropped',
      },
    );
    stream.resume();
    expect(await stream.closed).toBe('cut');
    const got = stream.frames.length;
    expect(got).toBeLessThan(800);

    const again = await listen(JOBS, key, resume(stream));
    await again.until(({ length }) => got + length >= 800);
    expect(numbersOf(stream, again)).toEqual(EVERYTHING);
  });

  test('and recovers in time gets the rest from the ledger, on the same stream', async () => {
    const patient = await startApi();
    try {
      const { key, userId } = await patient.addUser();
      const stream = await openSse(`${patient.url}/api/v1${JOBS}`, { key });
      stream.pause();
      await writeMuch(userId, patient.database);
      stream.resume();
      await stream.until(({ length }) => length >= 800);
      expect(numbersOf(stream)).toEqual(EVERYTHING);
      expect(stream.isClosed()).toBe(false);
    } finally {
      await patient.stop();
    }
  });
});

describe('when the database goes away', () => {
  test('streams stay open and miss nothing, and new ones get Retry-After', async () => {
    const cable = new Cable();
    const cut = await startApi({ through: (url) => cable.through(url) });
    try {
      const stream = await openSse(`${cut.url}/api/v1${JOBS}`, { key: cut.adminKey });
      opened.push(stream);
      const before = await cut.submit();
      await stream.until(({ length }) => length === 1);
      cable.cut();
      await waitFor(async () => (await cut.ask('GET', '/health/ready')).status === 503);
      expectProblem(await cut.ask('GET', '/api/v1/events'), 503, 'database_unavailable');
      await run(cut.database, before, { kind: 'completed' });
      cable.mend();
      await stream.until(({ length }) => length === 3);
      expect(stream.types()).toEqual(['job.created', 'job.started', 'job.completed']);
      stream.close();
    } finally {
      await cut.stop();
      await cable.remove();
    }
  });
});

const COMPLETED = {
  status: 'completed',
  outcome: 'completed',
  delayMs: 0,
  spendsAttempt: true,
  error: null,
  snoozes: 0,
  recordAttempt: true,
  event: 'job.completed',
} as const;

const PAGE = {
  position: 0,
  page: aPage(),
  artifacts: [],
  progress: { done: 1, total: 1, message: null },
  counts: { pages: 1, leads: 0, errors: 0 },
};

const written = new Map<string, number>();
/** Events of some size, numbered from 0 per user. */
async function writeEvents(database: Database, userId: string, count: number, bytes: number): Promise<void> {
  const first = written.get(userId) ?? 0;
  written.set(userId, first + count);
  await database.query(WRITE_EVENTS, [userId, first, first + count - 1, bytes]);
}
const WRITE_EVENTS = statement(
  'test_write_events',
  `
  INSERT INTO events (type, version, user_id, job_id, correlation_id, data)
  SELECT 'job.progress', '1.0', $1, gen_random_uuid(), 'test', json_build_object('done', n, 'message', repeat('x', $4::int))
  FROM generate_series($2::int, $3::int) AS n
  `,
);
