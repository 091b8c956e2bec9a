import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EVENT_TYPES, EVENT_VERSION, readEvent } from '../../../core/events/events.ts';
import type { LedgerEvent } from '../../../db/events/events.ts';
import { storePages } from '../../../db/jobs/run.ts';
import { storeLead } from '../../../db/leads.ts';
import { statement } from '../../../db/statement.ts';
import { eventExchange, TOPOLOGY } from '../../../queue/topology.ts';
import {
  aLead,
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
  api = await startApi();
});
afterAll(() => api.stop());

/** Types that are written by parts of the system which are not in this test. */
const WRITTEN_ELSEWHERE = [
  'link.created',
  'link.changed',
  'link.deleted',
  'link.clicked',
  'notification.delivered',
  'notification.failed',
];
const ERROR = { code: 'timeout', message: 'too slow' };

describe('what the system writes to the ledger', () => {
  test('has every type, and each event matches the schema of its type to the last field', async () => {
    const { userId, key, keyId } = await api.addUser();
    await api.ask('DELETE', `/api/v1/keys/${keyId}`);
    expect(userId && key).toBeTruthy();
    await api.submit({ urls: ['https://example.com/'], run_at: '2100-01-01T00:00:00Z' });
    const done = await api.submit();
    const job = await begin(api.database, done);
    await storePages(api.database, job, [progress(1, 2)]);
    const lead = aLead('example.com');
    const found = { key: 'example.com', lead, maxLeads: 1, progress: progress(2, 2).progress };
    expect(await storeLead(api.database, job, found)).toMatchObject({ kind: 'stored', isNew: true });
    const retried = await api.submit();
    await run(api.database, retried, { kind: 'retry', error: ERROR });
    const snoozed = await api.submit();
    await run(api.database, snoozed, { kind: 'snooze', error: ERROR, delayMs: 60_000, budget: 'consumed' });
    const released = await api.submit();
    await run(api.database, released, { kind: 'released' });
    await run(api.database, released, { kind: 'crashed', error: ERROR });
    await run(api.database, released, { kind: 'completed' }, 1);
    const failed = await api.submit();
    await run(api.database, failed, { kind: 'fail', error: ERROR });
    await api.ask('POST', `/api/v1/jobs/${failed}/retry`);
    await run(api.database, failed, { kind: 'cancelled' }, 1);
    await api.ask('POST', `/api/v1/jobs/${retried}/cancel`);

    const events = await ledger();
    const written = new Set(events.map(({ type }) => type));
    expect(EVENT_TYPES.filter((type) => !written.has(type))).toEqual(WRITTEN_ELSEWHERE);
    for (const { type, version, data } of events) {
      expect(version).toBe(EVENT_VERSION);
      // A field that is not in the schema would be missing here.
      expect(readEvent({ type, version, data })).toEqual({ kind: 'event', event: { type, data } });
    }
  });

  test('goes to an exchange that exists', () => {
    const exchanges = new Set(TOPOLOGY.exchanges.map(({ name }) => name));
    expect(EVENT_TYPES.filter((type) => !exchanges.has(eventExchange(type)))).toEqual([]);
  });

  test('has at most one progress event per second and job, with the newest figures', async () => {
    const job = await begin(api.database, await api.submit());
    await storePages(api.database, job, [progress(1, 40)]);
    // However slow this machine is.
    await secondsPass(job.id, -3600);
    for (let done = 2; done <= 20; done += 1) await storePages(api.database, job, [progress(done, 40)]);
    await secondsPass(job.id, 3602);
    await storePages(api.database, job, [progress(21, 40)]);
    await secondsPass(job.id, -3600);
    await storePages(api.database, job, [progress(22, 40)]);

    const recorded = (await ledger()).filter(
      ({ job_id, type }) => job_id === job.id && type === 'job.progress',
    );
    expect(recorded.map(({ data }) => data)).toMatchObject([
      {
        done: 1,
        total: 40,
        message: '1 of 40',
        counts: { pages: 1, leads: 0, errors: 0 },
        status: 'running',
      },
      { done: 21, total: 40, message: '21 of 40' },
    ]);
  });

  test('has no progress of a run that lost its lease', async () => {
    const id = await api.submit();
    const job = await begin(api.database, id);
    await api.ask('POST', `/api/v1/jobs/${id}/cancel`);
    expect(await storePages(api.database, job, [progress(1, 2)])).toEqual({ kind: 'lost' });
    const types = (await ledger()).filter(({ job_id }) => job_id === id).map(({ type }) => type);
    expect(types).toEqual(['job.created', 'job.started', 'job.cancelled']);
  });
});

describe('GET /events reads the ledger back', () => {
  test('a user reads only their own, page by page', async () => {
    const one = await api.addUser();
    const other = await api.addUser();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      ids.push(await api.submit(undefined, one.key));
      await api.submit(undefined, other.key);
    }
    await ledgerSettled(api.database);
    const seen: unknown[] = [];
    let after = '';
    do {
      const { status, json } = await api.ask(
        'GET',
        `/api/v1/events?limit=3${after && `&after=${after}`}`,
        one,
      );
      expect(status).toBe(200);
      expect(json.events.length).toBeLessThanOrEqual(3);
      seen.push(...json.events);
      after = json.next_cursor;
    } while (after);
    const mine = (await ledger()).filter(({ user_id }) => user_id === one.userId);
    expect(seen).toEqual(mine.map(toTold));
    expect(mine.filter(({ type }) => type === 'job.created').map(({ job_id }) => job_id)).toEqual(ids);
  });

  test('an event is read as queues carry it', async () => {
    const { key, userId } = await api.addUser();
    const id = await api.submit(undefined, key);
    await ledgerSettled(api.database);
    const { json } = await api.ask('GET', '/api/v1/events?type=job.created', { key, headers: ACCEPT_JSON });
    expect(json).toEqual({
      events: [
        {
          cursor: expect.stringMatching(/^\d+-\d+$/),
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          type: 'job.created',
          version: EVENT_VERSION,
          occurred_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
          source: 'leadengine.relay',
          correlation_id: expect.any(String),
          user_id: userId,
          data: { job_id: id, status: 'queued', attempt: 0, priority: 0 },
        },
      ],
      next_cursor: null,
    });
  });

  test('types are selected by name or by domain', async () => {
    const { key } = await api.addUser();
    await api.submit(undefined, key);
    await ledgerSettled(api.database);
    const types = async (query: string) => {
      const { json } = await api.ask('GET', `/api/v1/events?format=json&${query}`, { key });
      return json.events.map(({ type }: { type: string }) => type);
    };
    expect(await types('type=user.*')).toEqual(['user.registered', 'user.key_issued']);
    expect(await types('type=job.created,user.key_issued')).toEqual(['user.key_issued', 'job.created']);
    expect(await types('type=job.created&type=user.registered')).toEqual(['user.registered', 'job.created']);
    expect(await types('type=job.failed')).toEqual([]);
  });

  test('as NDJSON all of it is streamed', async () => {
    const { key, userId } = await api.addUser();
    for (let n = 0; n < 3; n += 1) await api.submit(undefined, key);
    await ledgerSettled(api.database);
    const mine = (await ledger()).filter(({ user_id }) => user_id === userId).map(toTold);
    const all = await api.ask('GET', '/api/v1/events', { key, headers: { accept: 'application/x-ndjson' } });
    expect(all.headers.get('content-type')).toBe('application/x-ndjson');
    expect(linesOf(all.text)).toEqual(mine);
    const part = await api.ask('GET', `/api/v1/events?format=ndjson&limit=2&after=${mine[0]?.cursor}`, {
      key,
    });
    expect(linesOf(part.text)).toEqual(mine.slice(1, 3));
  });

  test('one job’s are read the same way, only by its user', async () => {
    const { key } = await api.addUser();
    const id = await api.submit(undefined, key);
    await api.submit(undefined, key);
    await ledgerSettled(api.database);
    const { json } = await api.ask('GET', `/api/v1/jobs/${id}/events`, { key, headers: ACCEPT_JSON });
    expect(json.events.map(({ data }: { data: { job_id: string } }) => data.job_id)).toEqual([id]);
    const { key: another } = await api.addUser();
    expectProblem(await api.ask('GET', `/api/v1/jobs/${id}/events`, { key: another }), 404, 'not_found');
    expectProblem(await api.ask('GET', '/api/v1/jobs/nothing/events'), 404, 'not_found');
  });

  test.each([
    ['/api/v1/events?after=yesterday', 'after'],
    ['/api/v1/events?after=99999999999999999999-1', 'after'],
    ['/api/v1/events?limit=0', 'limit'],
    ['/api/v1/events?limit=1001', 'limit'],
    ['/api/v1/events?type=job.exploded', 'type'],
    ['/api/v1/events?type=*', 'type'],
    ['/api/v1/events?format=xml', 'format'],
    ['/api/v1/events?since=1', 'since'],
  ])('%s is refused, naming %s', async (path, field) => {
    const answer = await api.ask('GET', path);
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.json.errors[0].path).toBe(field);
  });
});

const ACCEPT_JSON = { accept: 'application/json' };

const progress = (done: number, total: number) => ({
  position: done,
  page: aPage(),
  artifacts: [],
  progress: { done, total, message: `${done} of ${total}` },
  counts: { pages: done, leads: 0, errors: 0 },
});

/** Replaces waiting: moves past events further back in time. */
const secondsPass = (jobId: string, seconds: number) =>
  api.database.query(
    statement(
      'test_seconds_pass',
      `UPDATE jobs SET progress_event_at = progress_event_at - $2::int * interval '1 second' WHERE id = $1`,
    ),
    [jobId, seconds],
  );

const ledger = (): Promise<LedgerEvent[]> =>
  api.database.query<LedgerEvent>(
    statement(
      'test_ledger',
      'SELECT xid::text, seq::text, id, type, version, occurred_at, user_id, job_id, correlation_id, data FROM events ORDER BY events.xid, events.seq',
    ),
  );

const toTold = (event: LedgerEvent) => ({
  cursor: `${event.xid}-${event.seq}`,
  id: event.id,
  type: event.type,
  version: event.version,
  occurred_at: event.occurred_at.toISOString(),
  source: 'leadengine.relay',
  correlation_id: event.correlation_id,
  user_id: event.user_id,
  data: event.data,
});

const linesOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
