import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, DRIVERS, type Driver, startApi, startOurs, startPeer, withChildren } from '../bench.ts';
import type { Child } from '../child.ts';
import { API_KEY } from '../job.ts';
import { interleave, median, percentile } from '../measure.ts';
import { createScratch } from '../scratch.ts';
import { purgeQueue } from '../window.ts';
import { rateOf, storedTimes } from './pages.ts';
import { installPeers } from './peers.ts';

const PART = 'scrape';
const WORKERS = 2;
/** Of each worker. */
const SLOTS = 4;
/** Requests at once, for the throughput: as many as there are slots. */
const CLIENTS = WORKERS * SLOTS;

interface Answered {
  at: number;
  ms: number;
}

/**
 * One page in one call, `POST /scrape` with its defaults: how much later its answer is there than
 * the static page itself, fetched by the same client, and how many pages one API with two workers
 * serves, beside what the same fleet does of jobs of many URLs over HTTP. Beside both a bare Express
 * with undici, Readability and turndown.
 */
export async function measureScrape(bench: Bench): Promise<void> {
  await installPeers();
  await withChildren(async (keep) => {
    const site = await keep(
      startOurs(bench, { program: 'bench/processes/site.js', driver: 'rabbitmq', databaseUrl: '' }),
    );
    const byHand = await keep(startPeer(bench, 'readability-express'));
    const client = await keep(startPeer(bench, 'one-call-client'));
    const context = { bench, site: site.ready.url ?? '', byHand: byHand.ready.url ?? '', client };
    for (const driver of DRIVERS) await measureWith(context, driver);
  });
}

interface Context {
  bench: Bench;
  site: string;
  byHand: string;
  client: Child;
}

async function measureWith({ bench, site, byHand, client }: Context, driver: Driver): Promise<void> {
  const { options, report } = bench;
  const [single, many] = options.quick ? [50, 100] : [300, 600];
  const urlsOf = (count: number) => Array.from({ length: count }, (_, number) => `${site}/page/${number}`);
  const scratch = await createScratch(bench.services);
  await purgeQueue(bench, driver);
  await withChildren(async (keep) => {
    const allowed = { EGRESS_ALLOW: new URL(site).host };
    const api = (await keep(startApi(bench, driver, scratch.url, allowed))).ready.url ?? '';
    const env = { WORKER_CONCURRENCY: String(SLOTS), ...allowed };
    for (let worker = 0; worker < WORKERS; worker += 1) {
      const program = 'workers/scraper/main.js';
      await keep(startOurs(bench, { program, driver, databaseUrl: scratch.url, env }));
    }
    const ask = (service: string | undefined, count: number, concurrency: number) =>
      client.call<Answered[]>('ask', {
        ...{ service, concurrency, urls: urlsOf(count), mustHold: 'Catalogue page' },
        headers: { authorization: `Bearer ${API_KEY}` },
      });
    const ours = `${api}/api/v1/scrape`;
    /** Two jobs of many URLs, one for each worker. */
    const jobs = async (count: number): Promise<number> => {
      await scratch.clear();
      const half = urlsOf(count / 2);
      for (let worker = 0; worker < WORKERS; worker += 1) await submit(api, { urls: half, render: 'http' });
      for (;;) {
        await sleep(100);
        const times = await storedTimes(scratch.database);
        if (times.length === count) return rateOf(times);
      }
    };
    // Connections, plans and compiled code.
    await ask(ours, 100, CLIENTS);
    await ask(`${byHand}/scrape`, 40, 4);
    await jobs(100);

    const alone = await interleave(options.rounds, {
      plain: () => ask(undefined, single, 1),
      ours: () => ask(ours, single, 1),
      byHand: () => ask(`${byHand}/scrape`, single, 1),
    });
    const at = (share: number, rounds: Answered[][]) =>
      rounds.map((answered) =>
        percentile(
          answered.map(({ ms }) => ms),
          share,
        ),
      );
    for (const [name, share, atMost] of [
      ['p50', 0.5, 15],
      ['p99', 0.99, 40],
    ] as const) {
      const plain = median(at(share, alone.plain));
      const added = (rounds: Answered[][]) => at(share, rounds).map((ms) => ms - plain);
      const figure = { part: PART, unit: 'ms' as const, note: `plain undici ${plain.toFixed(1)} ms` };
      report.add({
        ...{ ...figure, name: `${driver}: POST /scrape, added to the page itself, ${name}` },
        ...{ value: median(added(alone.ours)), rounds: added(alone.ours) },
        target: { of: 'value', atMost },
      });
      report.add({
        ...{ ...figure, name: `bare Express, Readability, turndown: the same, ${name}` },
        ...{ value: median(added(alone.byHand)), rounds: added(alone.byHand) },
      });
    }

    const rate = async (service: string) =>
      rateOf((await ask(service, many, CLIENTS)).map(({ at: answeredAt }) => answeredAt));
    const busy = await interleave(options.rounds, {
      jobs: () => jobs(many),
      ours: () => rate(ours),
      byHand: () => rate(`${byHand}/scrape`),
    });
    const add = (name: string, rounds: number[], compared = {}) =>
      report.add({ part: PART, name, value: median(rounds), unit: '/s', rounds, ...compared });
    add(`${driver}: POST /scrape, ${CLIENTS} at once, ${WORKERS} workers`, busy.ours, {
      ceiling: { name: 'http jobs on the same fleet', value: median(busy.jobs) },
      target: { of: 'ratio', atLeast: 0.8 },
    });
    add(`bare Express, Readability, turndown, ${CLIENTS} at once`, busy.byHand);
  });
  await scratch.drop();
}

async function submit(api: string, job: unknown): Promise<void> {
  const { status } = await fetch(`${api}/api/v1/jobs/scrape`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
    body: JSON.stringify(job),
  });
  if (status !== 202) throw new Error(`a job was answered ${status}`);
}
