import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connect, type Database } from '../../../db/connect.ts';
import { createEnvelope } from '../../../queue/envelope.ts';
import type { Queue } from '../../../queue/queue.ts';
import { createRabbitQueue } from '../../../queue/rabbitmq.ts';
import { eventExchange, LINK_CLICKS, TOPOLOGY } from '../../../queue/topology.ts';
import { silentLogger } from '../../../runtime/log/logger.ts';
import { type Analytics, createAnalytics } from '../../../workers/analytics/analytics.ts';
import { DRIVERS } from '../../support/processes/fleet.ts';
import { createVhost } from '../../support/servers/broker.ts';
import { waitFor } from '../../support/wait-for.ts';
import { ledgerSettled, run, startApi, type TestApi } from '../api/api-fixture.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

describe.each(DRIVERS)('clicks on %s', (driver) => {
  let api: TestApi;
  let queue: Queue;
  let database: Database;
  let analytics: Analytics;

  beforeEach(async () => {
    const broker = driver === 'rabbitmq' ? await startBroker() : undefined;
    api = await startApi({ ...(broker ? { queue: broker } : {}) });
    queue = api.queue;
    database = connect({
      url: api.databaseUrl,
      poolSize: 4,
      applicationName: 'analytics-test',
      logger: silentLogger,
    });
    analytics = start();
    await analytics.start();
  });
  afterEach(async () => {
    await analytics.stop();
    await database.stop();
    await api.stop();
  });
  const start = () => createAnalytics({ database, queue, shutdownGraceMs: 5000, logger: silentLogger });

  const make = async () =>
    (await api.ask('POST', '/api/v1/links', { body: { url: 'https://example.com/' } })).json as {
      code: string;
      link_id: string;
    };
  const visit = async (code: string, headers: Record<string, string> = {}, method = 'GET') => {
    const response = await fetch(`${api.url}/r/${code}`, { method, headers, redirect: 'manual' });
    expect(response.status).toBe(302);
  };
  const stats = async (code: string, query = '') =>
    (await api.ask('GET', `/api/v1/links/${code}/stats${query}`)).json;
  const statsOnce = (code: string, total: number) =>
    waitFor(
      async () => {
        const seen = await stats(code);
        return seen.total_clicks + seen.head_requests === total && seen;
      },
      { what: `${total} clicks to be counted` },
    );

  test('are counted by visitor, device and referrer', async () => {
    const { code } = await make();
    const firefox = { 'user-agent': FIREFOX, 'accept-language': 'de-AT,de;q=0.8' };
    await visit(code, { ...firefox, referer: 'https://news.example.com/story?x=1' });
    await visit(code, firefox);
    await visit(code, { 'user-agent': CHROME, 'accept-language': 'en-GB' });
    await visit(code, {
      'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    });
    await visit(code, { 'user-agent': CHROME }, 'HEAD');
    // Two visitors who object to tracking.
    await visit(code, { 'user-agent': FIREFOX, dnt: '1' });
    await visit(code, { 'user-agent': CHROME, 'sec-gpc': '1' });
    expect(await statsOnce(code, 7)).toMatchObject({
      total_clicks: 6,
      people_clicks: 5,
      bot_clicks: 1,
      head_requests: 1,
      unique_visitors: 2,
      top_user_agents: [
        { user_agent: 'Firefox', clicks: 3 },
        { user_agent: 'Chrome', clicks: 2 },
      ],
      top_referrers: [
        { referrer: null, clicks: 4 },
        { referrer: 'news.example.com', clicks: 1 },
      ],
      top_countries: [
        { country: 'AT', clicks: 2 },
        { country: 'GB', clicks: 1 },
      ],
      top_devices: [{ device: 'desktop', clicks: 5 }],
      top_bots: [{ bot: 'Googlebot', clicks: 1 }],
      series: [expect.objectContaining({ total_clicks: 6, unique_visitors: 2 })],
    });
    const hourly = await stats(code, '?interval=hour');
    expect(hourly).toMatchObject({ total_clicks: 6, unique_visitors: 2 });
  });

  test('hold no IP address', async () => {
    const { code } = await make();
    await visit(code, { 'user-agent': FIREFOX });
    await statsOnce(code, 1);
    const { rows } = await api.database.knex.raw('SELECT clicks::text AS click FROM clicks');
    expect(rows).toHaveLength(1);
    expect(rows[0].click).not.toContain('127.0.0.1');
  });

  test('that are delivered twice count once, on the days they were made', async () => {
    const { code, link_id } = await make();
    const at = (occurred_at: string, visitor: string) => {
      const id = randomUUID();
      return createEnvelope({
        ...{
          id,
          occurred_at,
          type: 'link.clicked',
          version: '1.0',
          source: 'test',
          correlation_id: id,
          user_id: null,
        },
        data: {
          link_id,
          code,
          url: 'https://example.com/',
          kind: 'person',
          visitor,
          referrer: null,
          user_agent: FIREFOX,
          country: null,
        },
      });
    };
    const [ada, bob] = ['00000000000000aa', 'ffffffffffffffbb'];
    const clicks = [
      at('2026-01-30T23:59:59.999Z', ada),
      at('2026-01-31T00:00:00.000Z', ada),
      at('2026-01-31T00:30:00.000Z', bob),
      at('2026-01-31T01:30:00.000Z', bob),
    ];
    const publish = () =>
      queue.publish(
        clicks.map((envelope) => ({
          exchange: eventExchange(envelope.type),
          routingKey: envelope.type,
          envelope,
        })),
      );
    await publish();
    await publish();
    const inJanuary = (query: string) => stats(code, `?from=2026-01-30&to=2026-02-01${query}`);
    await waitFor(async () => (await inJanuary('')).total_clicks >= 4, { what: 'the clicks' });
    await waitFor(async () => (await queue.depth(LINK_CLICKS)) === 0, { what: 'the queue to be empty' });
    // In-flight clicks are settled when it has stopped.
    await analytics.stop();
    expect((await inJanuary('')).series).toEqual([
      expect.objectContaining({ at: '2026-01-30T00:00:00.000Z', total_clicks: 1, unique_visitors: 1 }),
      expect.objectContaining({ at: '2026-01-31T00:00:00.000Z', total_clicks: 3, unique_visitors: 2 }),
    ]);
    expect((await stats(code, '?from=2026-01-30&to=2026-01-31&interval=hour')).unique_visitors).toBe(1);
    const hours = await inJanuary('&interval=hour');
    expect(hours.unique_visitors).toBe(3);
    expect(hours.series.map((point: Record<string, unknown>) => [point.at, point.unique_visitors])).toEqual([
      ['2026-01-30T23:00:00.000Z', 1],
      ['2026-01-31T00:00:00.000Z', 2],
      ['2026-01-31T01:00:00.000Z', 1],
    ]);
    expect(
      (await stats(code, '?from=2026-01-31T01:00:00Z&to=2026-01-31T02:00:00Z&interval=hour')).unique_visitors,
    ).toBe(1);
    // In other time zones: in India it is 5:30 hours later, in New York 5 hours earlier.
    const points = async (query: string) =>
      (await inJanuary(query)).series.map((point: Record<string, unknown>) => [
        point.at,
        point.total_clicks,
        point.unique_visitors,
      ]);
    expect(await points('&tz=Asia/Kolkata')).toEqual([['2026-01-30T18:30:00.000Z', 4, 3]]);
    expect(await points('&tz=America/New_York')).toEqual([['2026-01-30T05:00:00.000Z', 4, 3]]);
    expect(
      (await points('&tz=Asia/Kolkata&interval=hour')).map((point: unknown[]) => point.slice(0, 2)),
    ).toEqual([
      ['2026-01-30T23:30:00.000Z', 2],
      ['2026-01-31T00:30:00.000Z', 1],
      ['2026-01-31T01:30:00.000Z', 1],
    ]);
    expect(await points('&interval=month')).toEqual([['2026-01-01T00:00:00.000Z', 4, 3]]);
    expect(await points('&interval=week&tz=Europe/Berlin')).toEqual([['2026-01-25T23:00:00.000Z', 4, 3]]);
    expect((await stats(code, '?tz=Europe/Berln')).errors).toEqual([
      { path: 'tz', message: 'expected a time zone such as Europe/Berlin, did you mean Europe/Berlin?' },
    ]);
  });

  test('that are unreadable are dead-lettered, and the others are counted', async () => {
    const { code } = await make();
    const envelope = createEnvelope({
      ...{ type: 'link.clicked', version: '1.0', source: 'test', correlation_id: 'x', user_id: null },
      data: { link_id: 'no uuid' },
    });
    await queue.publish([{ exchange: 'link_events', routingKey: 'link.clicked', envelope }]);
    await visit(code, { 'user-agent': FIREFOX });
    await statsOnce(code, 1);
    await waitFor(async () => (await queue.depth(`${LINK_CLICKS}.dead`)) === 1, { what: 'the dead letter' });
  });

  test('wait while there is no analytics process', async () => {
    const { code } = await make();
    await analytics.stop();
    for (let left = 5; left > 0; left -= 1) await visit(code, { 'user-agent': FIREFOX });
    await waitFor(async () => (await queue.depth(LINK_CLICKS)) === 5, {
      what: 'the clicks to be on the queue',
    });
    analytics = start();
    await analytics.start();
    expect(await statsOnce(code, 5)).toMatchObject({ people_clicks: 5, unique_visitors: 1 });
  });
});

async function startBroker(): Promise<Queue> {
  const { url } = await createVhost();
  const options = { heartbeatSeconds: 15, connectionTimeoutMs: 10_000, connectionName: 'test' };
  const queue = createRabbitQueue({ ...options, url, topology: TOPOLOGY, logger: silentLogger });
  await queue.start();
  return queue;
}

describe('job statistics', () => {
  let api: TestApi;
  let database: Database;
  let analytics: Analytics;
  beforeEach(async () => {
    api = await startApi();
    database = connect({
      url: api.databaseUrl,
      poolSize: 4,
      applicationName: 'analytics-test',
      logger: silentLogger,
    });
    analytics = createAnalytics({ database, queue: api.queue, shutdownGraceMs: 5000, logger: silentLogger });
    await analytics.start();
  });
  afterEach(async () => {
    await analytics.stop();
    await database.stop();
    await api.stop();
  });
  /**
   * The parts of an answer are read concurrently, so one may include an event that another does not
   * yet.
   */
  const statsOnce = async (created: number, key = api.adminKey, query = '', { failed = 0 } = {}) => {
    await ledgerSettled(database);
    return waitFor(
      async () => {
        const { json } = await api.ask('GET', `/api/v1/stats${query}`, { key });
        const errors = json.errors.reduce((sum: number, { jobs }: { jobs: number }) => sum + jobs, 0);
        return json.created === created && errors === failed && json;
      },
      { what: `${created} jobs to be counted` },
    );
  };

  test('show the outcomes of jobs, to their user and to an admin for all', async () => {
    const { key } = await api.addUser();
    const done = await api.submit({ urls: ['https://example.com/', 'https://example.org/'] }, key);
    await run(database, done, { kind: 'completed' });
    const failed = await api.submit({ urls: ['https://example.com/x'], max_attempts: 1 }, key);
    await run(database, failed, { kind: 'fail', error: { code: 'page_too_large', message: 'x' } });
    await api.submit({ urls: ['https://example.com/y'] }, key);
    await api.submit();

    const own = await statsOnce(3, key, '', { failed: 1 });
    expect(own).toMatchObject({
      scope: 'own',
      jobs_by_state: { queued: 1, running: 0, completed: 1, failed: 1, cancelled: 0 },
      success_rate: 0.5,
      time_to_start_ms: { p50: expect.any(Number), p99: expect.any(Number) },
      duration_ms: { p50: expect.any(Number), p99: expect.any(Number) },
      errors: [{ code: 'page_too_large', jobs: 1 }],
      sources: [{ source: 'urls', jobs: 2, pages: 0, leads: 0 }],
      hosts: [
        { host: 'example.com', jobs: 2, pages: 0, leads: 0 },
        { host: 'example.org', jobs: 1, pages: 0, leads: 0 },
      ],
    });
    expect(await statsOnce(4, api.adminKey, '?all=true', { failed: 1 })).toMatchObject({
      scope: 'all',
      jobs_by_state: { queued: 2, completed: 1, failed: 1 },
    });
    expect((await statsOnce(1)).jobs_by_state).toMatchObject({ queued: 1, completed: 0 });
    expect((await api.ask('GET', '/api/v1/stats?all=true', { key })).status).toBe(403);
  });

  test('count each event once, however many workers there are', async () => {
    const second = createAnalytics({
      database,
      queue: api.queue,
      shutdownGraceMs: 5000,
      logger: silentLogger,
    });
    await second.start();
    const jobs = { jobs: Array.from({ length: 200 }, () => ({ urls: ['https://example.com/'] })) };
    for (let batch = 0; batch < 3; batch += 1) await api.ask('POST', '/api/v1/jobs/batch', { body: jobs });
    const seen = await statsOnce(600);
    expect(seen.series.reduce((sum: number, point: { created: number }) => sum + point.created, 0)).toBe(600);
    await second.stop();
  });
});
