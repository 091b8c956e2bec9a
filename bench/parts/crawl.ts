import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { listCrawlUrls } from '../../db/pages/crawl.ts';
import { statement } from '../../db/statement.ts';
import { Frontier } from '../../scraping/crawl/frontier.ts';
import { createScope } from '../../scraping/crawl/scope.ts';
import { restoreFrontier } from '../../workers/scraper/jobs/crawl-restore.ts';
import type { Bench } from '../bench.ts';
import { now, percentile } from '../measure.ts';
import { createScratch, insertJobs } from '../scratch.ts';

const PART = 'crawl';
const SEED = 'https://shop.example.com/';

/** The cost of resuming a large crawl, and how long it blocks other work of the process. */
export async function measureCrawl({ services, options, report }: Bench): Promise<void> {
  const addresses = options.quick ? 100_000 : 500_000;
  const note = `${addresses} addresses`;
  const scratch = await createScratch(services);
  await insertJobs(scratch, 1, { urls: [SEED], crawl: {} });
  const [job] = await scratch.database.query<{ id: string }>(FIND_JOB);
  if (!job) throw new Error('there is no job');
  await scratch.database.query(FILL, [job.id, addresses]);

  const frontier = new Frontier({
    scope: createScope([SEED], { sameOrigin: true }),
    ...{ maxDepth: 100, maxKnown: addresses },
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begin = now();
  const cpu = process.cpuUsage();
  await restoreFrontier(frontier, (after, limit) => listCrawlUrls(scratch.database, job.id, after, limit));
  const { user, system } = process.cpuUsage(cpu);
  const tookMs = now() - begin;
  await nextTurn();
  delay.disable();
  const add = (name: string, value: number, unit: 'ms', atMost?: number) =>
    report.add({
      part: PART,
      name,
      value,
      unit,
      note,
      ...(atMost ? { target: { of: 'value', atMost } } : {}),
    });
  add('restoring a frontier', tookMs, 'ms');
  add('restoring a frontier, processor', (user + system) / 1000, 'ms');
  add('longest event-loop delay meanwhile', delay.max / 1e6, 'ms', 100);

  const takes: number[] = [];
  while (frontier.waiting > 0) {
    const at = now();
    frontier.take();
    takes.push(now() - at);
  }
  add('taking one, p50', percentile(takes, 0.5), 'ms');
  add('taking one, p99', percentile(takes, 0.99), 'ms', 0.1);
  await scratch.drop();
}

const FIND_JOB = statement('bench_find_job', 'SELECT id FROM jobs LIMIT 1');

/** Three in four wait; a fifth have a query. */
const FILL = statement(
  'bench_fill_crawl',
  `
  INSERT INTO crawl_urls (job_id, position, url, depth, chain, state, title, content_hash)
  SELECT $1::uuid, n,
         '${SEED}' || (n % 40) || '/category-' || (n % 700) || '/product-' || n
           || CASE WHEN n % 5 = 0 THEN '?size=' || (n % 9) || '&color=' || (n % 7) ELSE '' END,
         1 + n % 6, 0, CASE WHEN n % 4 = 0 THEN 'done' ELSE 'waiting' END, 'Product ' || n,
         CASE WHEN n % 4 = 0 THEN decode(md5(n::text), 'hex') END
  FROM generate_series(0, $2::int - 1) AS n
  `,
);
