import { setTimeout as sleep } from 'node:timers/promises';
import { LINK_CLICKS } from '../../../queue/topology.ts';
import { type Bench, DRIVERS, type Driver, startApi, startLoad, startOurs, withChildren } from '../bench.ts';
import type { Child } from '../child.ts';
import { API_KEY } from '../job.ts';
import { inTurns, median } from '../measure.ts';
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
 * Redirects a second from the API process as installed, clicks confirmed by the queue, beside bare Node and bare Express that publish
 * without waiting for anything; and how long an answer takes at 10,000 a second.
 */
export async function measureRedirects(bench: Bench): Promise<void> {
  for (const driver of DRIVERS) await measureDriver(bench, driver);
}

async function measureDriver(bench: Bench, driver: Driver): Promise<void> {
  const { options, report } = bench;
  const scratch = await createScratch(bench.services);
  await withChildren(async (keep) => {
    const load = await keep(startLoad(bench));
    const api = await keep(startApi(bench, driver, scratch.url));
    await makeLink(api.ready.url ?? '');
    // After the API, which declares the exchange they publish to where it is on RabbitMQ.
    const peer = (name: string) =>
      keep(
        startOurs(bench, {
          program: 'scripts/bench/processes/redirect-peer.js',
          driver: 'rabbitmq',
          databaseUrl: '',
          env: { PEER: name },
        }),
      );
    const visit = async (server: Child, pace?: number): Promise<LoadResult> => {
      const result = await load.call<LoadResult>('run', {
        url: `${server.ready.url}/r/bench`,
        headers: BROWSER,
        connections: CONNECTIONS,
        ...(pace ? { pace } : {}),
        warmMs: options.quick ? 500 : 1500,
        ms: options.quick ? 2000 : 5000,
      });
      if (result.refused > 0) throw new Error(`${result.refused} of ${result.requests} did not redirect`);
      if (server === api) await untilTaken(api.ready.url ?? '');
      // The peers publish to the broker whatever ours does.
      await purgeQueue(bench, 'rabbitmq', LINK_CLICKS);
      return result;
    };
    const node = await peer('node');
    const plainExpress = await peer('express');
    const silent = await peer('silent');
    const turns = await inTurns(options.rounds, {
      ours: () => visit(api),
      node: () => visit(node),
      express: () => visit(plainExpress),
      silent: () => visit(silent),
      oursPaced: () => visit(api, PACE),
      nodePaced: () => visit(node, PACE),
    });
    const rate = (results: LoadResult[]) => median(results.map(({ perSecond }) => perSecond));
    const p99 = (results: LoadResult[]) => median(results.map((result) => result.p99));
    const rounds = turns.ours.map(({ perSecond }) => perSecond);
    const value = rate(turns.ours);
    report.add({
      ...{ part: PART, name: `${driver}: redirects`, value, unit: '/s', rounds },
      ceiling: { name: 'bare Node that publishes unconfirmed', value: rate(turns.node) },
      target: { of: 'ratio', atLeast: 0.8 },
    });
    report.add({
      ...{ part: PART, name: `${driver}: redirects`, value, unit: '/s' },
      ceiling: { name: 'bare Express that publishes unconfirmed', value: rate(turns.express) },
    });
    report.add({
      ...{ part: PART, name: `${driver}: redirects`, value, unit: '/s' },
      ceiling: { name: 'bare Node that tells nobody', value: rate(turns.silent) },
    });
    report.add({
      ...{ part: PART, name: `${driver}: answer p99 at ${Math.round(rate(turns.oursPaced))}/s`, unit: 'ms' },
      value: p99(turns.oursPaced),
      ceiling: { name: 'bare Node', value: p99(turns.nodePaced) },
      target: { of: 'value', atMost: 5 },
    });
  });
  await scratch.drop();
}

/** What is faster than its queue has clicks left to send, and would do so while others are measured. */
async function untilTaken(url: string): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const pending = [...metrics.matchAll(/^leadengine_clicks_pending\{.*\} (\d+)$/gm)];
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
