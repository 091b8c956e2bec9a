import { setTimeout as sleep } from 'node:timers/promises';
import { LINK_CLICKS } from '../../queue/topology.ts';
import { type Bench, DRIVERS, type Driver, startApi, startLoad, startOurs, withChildren } from '../bench.ts';
import type { Child } from '../child.ts';
import { cpuTimes, perJob } from '../cpu.ts';
import { API_KEY } from '../job.ts';
import { interleave, median } from '../measure.ts';
import type { LoadResult } from '../processes/load.ts';
import { createScratch } from '../scratch.ts';
import { purgeQueue } from '../window.ts';

const PART = 'redirects';
const CONNECTIONS = 32;
const PACE = 10_000;
const BROWSER = {
  'user-agent':
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'accept-language': 'de-AT,de;q=0.8',
  referer: 'https://news.example.com/story',
};

/**
 * Redirects per second from the API process as installed, clicks confirmed by the queue, beside
 * bare Node and bare Express that publish to the same queue without waiting for confirms; and the
 * latency of an answer at 10,000 per second.
 */
export async function measureRedirects(bench: Bench): Promise<void> {
  for (const driver of DRIVERS) await measureDriver(bench, driver);
}

async function measureDriver(bench: Bench, driver: Driver): Promise<void> {
  const { options, report, services } = bench;
  const scratch = await createScratch(services);
  await withChildren(async (keep) => {
    const load = await keep(startLoad(bench));
    const api = await keep(startApi(bench, driver, scratch.url));
    await makeLink(api.ready.url ?? '');
    // After the API, which declares the queue they publish to.
    const peer = (name: string) =>
      keep(
        startOurs(bench, {
          program: 'bench/processes/redirect-peer.js',
          driver,
          databaseUrl: scratch.url,
          env: { PEER: name },
        }),
      );
    const visit = async (server: Child, pace?: number): Promise<Visit> => {
      const pids = { server: server.pid, postgres: services.pids.postgres, broker: services.pids.broker };
      const before = cpuTimes(pids);
      const warmMs = options.quick ? 500 : 1500;
      const ms = options.quick ? 2000 : 5000;
      const result = await load.call<LoadResult>('run', {
        url: `${server.ready.url}/r/bench`,
        headers: BROWSER,
        connections: CONNECTIONS,
        ...(pace ? { pace } : {}),
        warmMs,
        ms,
      });
      if (result.refused > 0) throw new Error(`${result.refused} of ${result.requests} did not redirect`);
      await (server === api ? untilTaken(api.ready.url ?? '') : untilIdle(server));
      const cpu = perJob(before, cpuTimes(pids), (result.requests * (warmMs + ms)) / ms);
      if (driver === 'rabbitmq') await purgeQueue(bench, driver, LINK_CLICKS);
      else await scratch.database.knex.raw('TRUNCATE queue.messages');
      return { ...result, cpu };
    };
    const node = await peer('node');
    const plainExpress = await peer('express');
    const silent = await peer('silent');
    const results = await interleave(options.rounds, {
      ours: () => visit(api),
      node: () => visit(node),
      express: () => visit(plainExpress),
      silent: () => visit(silent),
      oursPaced: () => visit(api, PACE),
      nodePaced: () => visit(node, PACE),
      silentPaced: () => visit(silent, PACE),
    });
    const rate = (visits: Visit[]) => median(visits.map(({ perSecond }) => perSecond));
    const p99 = (visits: Visit[]) => median(visits.map((visit) => visit.p99));
    const cpuOf = (visits: Visit[]) => visits.at(-1)?.cpu ?? {};
    const rounds = results.ours.map(({ perSecond }) => perSecond);
    const value = rate(results.ours);
    report.add({
      ...{
        part: PART,
        name: `${driver}: redirects`,
        value,
        unit: '/s',
        rounds,
        cpuMicros: cpuOf(results.ours),
      },
      ceiling: { name: 'bare Node that publishes unconfirmed', value: rate(results.node) },
      target: { of: 'ratio', atLeast: 0.8 },
    });
    report.add({
      ...{ part: PART, name: `${driver}: redirects`, value, unit: '/s' },
      ceiling: { name: 'bare Express that publishes unconfirmed', value: rate(results.express) },
    });
    report.add({
      ...{ part: PART, name: `${driver}: redirects`, value, unit: '/s' },
      ceiling: { name: 'bare Node without a publish', value: rate(results.silent) },
    });
    const name = `${driver}: answer p99 at ${Math.round(rate(results.oursPaced))}/s`;
    report.add({
      ...{ part: PART, name, unit: 'ms', value: p99(results.oursPaced), cpuMicros: cpuOf(results.oursPaced) },
      ceiling: { name: 'bare Node that publishes unconfirmed', value: p99(results.nodePaced) },
      target: { of: 'value', atMost: 5 },
    });
    report.add({
      ...{ part: PART, name, unit: 'ms', value: p99(results.oursPaced) },
      ceiling: { name: 'bare Node without a publish', value: p99(results.silentPaced) },
    });
    report.add({
      ...{ part: PART, name: `${driver}: bare Node, answer p99`, unit: 'ms', value: p99(results.nodePaced) },
      cpuMicros: cpuOf(results.nodePaced),
    });
  });
  await scratch.drop();
}

type Visit = LoadResult & { cpu: Record<string, number> };

async function untilIdle(peer: Child): Promise<void> {
  while (!(await peer.call<boolean>('idle'))) await sleep(100);
}

/**
 * A server that is faster than its queue has clicks left to send, and would send them while others
 * are measured.
 */
async function untilTaken(url: string): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const pending = [...metrics.matchAll(/^leadengine_(?:pending_clicks|click_spool_bytes) (\d+)$/gm)];
    if (pending.length > 0 && pending.every(([, count]) => count === '0')) return;
    await sleep(100);
  }
}

async function makeLink(url: string): Promise<void> {
  const response = await fetch(`${url}/api/v1/links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url: 'https://example.com/', code: 'bench' }),
  });
  if (response.status !== 201) throw new Error(`no link: ${response.status} ${await response.text()}`);
}
