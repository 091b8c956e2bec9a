import { setTimeout as sleep } from 'node:timers/promises';
import type { JobSpec } from '../../core/jobs/job.ts';
import type { Sql } from '../../db/connect.ts';
import { statement } from '../../db/statement.ts';
import { findChromium } from '../../scraping/browser/process/chromium.ts';
import { type Bench, startApi, startOurs, withChildren } from '../bench.ts';
import type { Child } from '../child.ts';
import { interleave, median } from '../measure.ts';
import { createScratch, insertJobs } from '../scratch.ts';
import { purgeQueue } from '../window.ts';

const PART = 'pages';
const CONCURRENCY = 2;

/**
 * Pages per second of a local site through real jobs and the real engine, in the browser, beside
 * bare Playwright with the same Chromium and the same concurrency.
 */
export async function measurePages(bench: Bench): Promise<void> {
  const { options, report } = bench;
  const count = options.quick ? 40 : 120;
  const chromium = findChromium(process.env.CHROMIUM_PATH);
  if (!chromium) throw new Error('no Chromium found: set CHROMIUM_PATH');
  await withChildren(async (keep) => {
    const start = (program: string, env = {}) =>
      startOurs(bench, {
        program: `bench/processes/${program}`,
        driver: 'rabbitmq',
        databaseUrl: '',
        env,
      });
    const site = (await keep(start('site.js'))).ready.url ?? '';
    const urls = Array.from({ length: count }, (_, number) => `${site}/page/${number}`);
    const bare = async () => {
      const times = await withChildren(async (keepBare) => {
        const playwright = await keepBare(start('bare-playwright.js', { CHROMIUM_PATH: chromium }));
        return playwright.call<number[]>('scrape', {
          ...{ urls, concurrency: CONCURRENCY, setUp: 'first', expects: 'Catalogue page' },
        });
      });
      return rateOf(times);
    };
    const ours =
      (formats: JobSpec['formats'], urlsEach: number, render: JobSpec['render'] = 'browser') =>
      () =>
        scrapeOurs(bench, { site, chromium, urls, urlsEach, formats, render });
    const results = await interleave(options.rounds, {
      bare,
      raw: ours(['raw_html'], 1),
      standard: ours(undefined, 1),
      sameJob: ours(undefined, 10),
    });
    const ceiling = { name: 'bare Playwright, page.content()', value: median(results.bare) };
    const add = (name: string, rounds: number[]) =>
      report.add({ part: PART, name, value: median(rounds), unit: '/s', ceiling, rounds });
    add(`rabbitmq: a job a page, raw_html, ${CONCURRENCY} slots`, results.raw);
    add(`rabbitmq: a job a page, markdown + links + metadata, ${CONCURRENCY} slots`, results.standard);
    add(`rabbitmq: ten pages a job, markdown + links + metadata, ${CONCURRENCY} slots`, results.sameJob);
  });
}

interface ScrapeOptions {
  site: string;
  /** Concurrent jobs. Default 2. */
  slots?: number;
  /** Called with the worker when it is ready. */
  onStart?: (worker: Child) => void;
  /** Called with the worker when all pages are stored. */
  onDone?: (worker: Child) => void;
  chromium?: string;
  urls: string[];
  urlsEach: number;
  formats: JobSpec['formats'];
  render: JobSpec['render'];
}

export async function scrapeOurs(bench: Bench, options: ScrapeOptions): Promise<number> {
  const { urls, urlsEach, formats, render } = options;
  const scratch = await createScratch(bench.services);
  for (let at = 0; at < urls.length; at += urlsEach) {
    await insertJobs(scratch, 1, { urls: urls.slice(at, at + urlsEach), formats, render });
  }
  await purgeQueue(bench, 'rabbitmq');
  const times = await withChildren(async (keep) => {
    await keep(startApi(bench, 'rabbitmq', scratch.url));
    const worker = await keep(
      startOurs(bench, {
        program: 'workers/scraper/main.js',
        driver: 'rabbitmq',
        databaseUrl: scratch.url,
        env: {
          WORKER_CONCURRENCY: String(options.slots ?? CONCURRENCY),
          ...(options.chromium ? { CHROMIUM_PATH: options.chromium } : {}),
          EGRESS_ALLOW: new URL(options.site).host,
        },
      }),
    );
    options.onStart?.(worker);
    for (;;) {
      await sleep(200);
      const [counted] = await scratch.database.query<{ stored: number; failed: number }>(COUNT_PAGES);
      if (!counted || (counted.failed === 0 && counted.stored < urls.length)) continue;
      const stored = await storedTimes(scratch.database);
      options.onDone?.(worker);
      return stored;
    }
  });
  await scratch.drop();
  return rateOf(times);
}

/** The only query while the clock runs, so that polling hardly affects the measurement. */
const COUNT_PAGES = statement(
  'bench_count_pages',
  'SELECT count(*)::int AS stored, count(*) FILTER (WHERE failed)::int AS failed FROM pages',
);

const STORED_PAGES = statement(
  'bench_stored_pages',
  `SELECT extract(epoch FROM stored_at)::float8 * 1000 AS at, CASE WHEN failed THEN content::text END AS problem
  FROM pages ORDER BY stored_at`,
);

/** When each page was stored, in ms. @throws if one failed */
export async function storedTimes(database: Sql): Promise<number[]> {
  const rows = await database.query<{ at: number; problem: string | null }>(STORED_PAGES);
  const problem = rows.find((row) => row.problem)?.problem;
  if (problem) throw new Error(`a page of the local site failed: ${problem}`);
  return rows.map(({ at }) => at);
}

/** Pages per second after the first tenth, from the time when each finished in ms. */
export function rateOf(times: number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  const from = Math.ceil(sorted.length * 0.1);
  const seconds = ((sorted.at(-1) ?? 0) - (sorted[from] ?? 0)) / 1000;
  return (sorted.length - 1 - from) / seconds;
}
