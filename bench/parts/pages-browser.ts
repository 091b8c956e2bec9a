import { access } from 'node:fs/promises';
import type { JobSpec } from '../../core/jobs/job.ts';
import { findChromium } from '../../scraping/browser/process/chromium.ts';
import { type Bench, startOurs, startPeer, withChildren } from '../bench.ts';
import type { Child } from '../child.ts';
import { cpuTimes } from '../cpu.ts';
import { interleave, median } from '../measure.ts';
import { type Memory, watchMemory } from '../memory.ts';
import { rateOf, scrapeOurs } from './pages.ts';
import { installPeers } from './peers.ts';

const PART = 'browser';
const CONCURRENCY = 2;
/** The `chromium` package, for comparison with the headless shell. */
const WHOLE_CHROMIUM = process.env.BENCH_WHOLE_CHROMIUM ?? '/usr/bin/chromium';
/** Debian's `postgresql-doc-15`: over a thousand independently written pages. */
const SITE_DIR = process.env.BENCH_SITE_DIR ?? '/usr/share/doc/postgresql-doc-15/html';

interface Measured {
  rate: number;
  /** Peak memory of the process and its browser together. */
  peakMb: number;
  /** Processor time of both per page. */
  cpuMs: number;
}

/**
 * Pages per second of a real site in the browser: ours through real jobs, one page per job and all
 * in one, beside Playwright set up as well as possible and Crawlee's PlaywrightCrawler as its users
 * run it: with a whole Chromium, and with the one that all the others have.
 */
export async function measureBrowser(bench: Bench): Promise<void> {
  const { options, report } = bench;
  const setting = await settingOf();
  if (!setting || !(await has(WHOLE_CHROMIUM, 'chromium'))) return;
  const { chromium } = setting;
  await installPeers();
  await withChildren(async (keep) => {
    const { site, urlsOf } = await startDocs(bench, keep);
    const urls = await urlsOf(options.quick ? 60 : 200);

    const ours =
      (urlsEach: number, slots: number, formats?: JobSpec['formats']) => async (): Promise<Measured> => {
        let watch: ReturnType<typeof watchCosts> | undefined;
        let costs = { peakMb: Number.NaN, cpuMs: Number.NaN };
        const rate = await scrapeOurs(bench, {
          ...{ site, urls, urlsEach, slots, formats, chromium, render: 'browser' },
          onStart: (worker) => {
            watch = watchCosts(worker);
          },
          onDone: () => {
            if (watch) costs = watch.stop(urls.length);
          },
        });
        return { rate, ...costs };
      };
    const theirs = (start: () => Promise<Child>) => (): Promise<Measured> =>
      withChildren(async (keepTheirs) => {
        const child = await keepTheirs(start());
        const watch = watchCosts(child);
        const task = { urls, concurrency: CONCURRENCY, setUp: 'best', expects: '</html>' };
        const rate = rateOf(await child.call<number[]>('scrape', task));
        return { rate, ...watch.stop(urls.length) };
      });
    const env = { CHROMIUM_PATH: chromium };
    const program = 'bench/processes/bare-playwright.js';
    const crawlee = (executable: string) =>
      theirs(() => startPeer(bench, 'crawlee-playwright', { CHROMIUM_PATH: executable }));
    const results = await interleave(options.rounds, {
      bare: theirs(() => startOurs(bench, { program, driver: 'rabbitmq', databaseUrl: '', env })),
      isolated: ours(1, CONCURRENCY),
      crawlee: crawlee(chromium),
      crawl: ours(urls.length, 1),
      wholeCrawlee: crawlee(WHOLE_CHROMIUM),
      isolatedRaw: ours(1, CONCURRENCY, ['raw_html']),
    });

    const rates = (measured: Measured[]) => measured.map(({ rate }) => rate);
    const add = (name: string, measured: Measured[], compared = {}) => {
      const peakMb = Math.round(Math.max(...measured.map((each) => each.peakMb)));
      const cpuMs = Math.round(median(measured.map((each) => each.cpuMs)));
      report.add({
        ...{
          part: PART,
          name,
          note: `peak ${peakMb} MB, ${cpuMs} ms CPU a page`,
          unit: '/s',
          rounds: rates(measured),
        },
        value: median(rates(measured)),
        ...compared,
      });
    };
    const against = (name: string, measured: Measured[], atLeast: number) => ({
      ceiling: { name, value: median(rates(measured)) },
      target: { of: 'ratio', atLeast },
    });
    const best = ['best Playwright set-up', results.bare] as const;
    const crawlees = [
      ['PlaywrightCrawler, whole Chromium', results.wholeCrawlee],
      ['PlaywrightCrawler, same Chromium', results.crawlee],
    ] as const;
    const content = 'markdown + links + metadata, stored';
    add(
      `a context a page, ${CONCURRENCY} slots: raw_html, stored`,
      results.isolatedRaw,
      against(...best, 0.9),
    );
    add(`a context a page, ${CONCURRENCY} slots: ${content}`, results.isolated, against(...best, 0.9));
    for (const [name, measured] of crawlees) add('the same', results.isolated, against(name, measured, 1.5));
    for (const [name, measured] of crawlees)
      add(`one job, its tabs at once: ${content}`, results.crawl, against(name, measured, 2.5));
    add(`Playwright: a context a page, ${CONCURRENCY} at once, content alone`, results.bare);
    for (const [name, measured] of crawlees) add(`${name}, as installed: title + content`, measured);
  });
}

/**
 * Memory of a worker with its browser over many pages: the median sample of each of eight equal
 * spans of the run.
 */
export async function measureMemory(bench: Bench): Promise<void> {
  const { options, report } = bench;
  const setting = await settingOf();
  if (!setting) return;
  await withChildren(async (keep) => {
    const { site, urlsOf } = await startDocs(bench, keep);
    const urls = await urlsOf(options.quick ? 400 : 2000);
    let memory: ReturnType<typeof watchMemory> | undefined;
    await scrapeOurs(bench, {
      ...{ site, urls, urlsEach: 50, slots: CONCURRENCY, formats: undefined, render: 'browser' },
      chromium: setting.chromium,
      onStart: (worker) => {
        memory = watchMemory(worker.pid);
      },
    });
    const seen = memory?.stop() ?? [];
    const add = (name: string, mbOf: (memory: Memory) => number) => {
      const spans = inEighths(seen.map(mbOf));
      report.add({
        part: 'memory',
        name: `${name} over ${urls.length} pages, last eighth`,
        note: `MB by eighths: ${spans.map(Math.round).join(' ')}`,
        value: spans.at(-1) ?? Number.NaN,
        unit: 'MB',
        ceiling: { name: 'the second eighth', value: spans[1] ?? Number.NaN },
        target: { of: 'ratio', atMost: 1.15 },
      });
    };
    add('worker and browser', ({ mb }) => mb);
    add('worker alone', ({ ownMb }) => ownMb);
    add('browser alone', ({ mb, ownMb }) => mb - ownMb);
  });
}

/** The median of each eighth, in order. */
const inEighths = (values: number[]): number[] =>
  Array.from({ length: 8 }, (_, span) =>
    median(
      values.slice(Math.floor((values.length * span) / 8), Math.floor((values.length * (span + 1)) / 8)),
    ),
  );

/** Of a process that is ready, with its browser, until `stop`. */
function watchCosts({ pid }: Child): { stop(pages: number): { peakMb: number; cpuMs: number } } {
  const memory = watchMemory(pid);
  const spent = () => cpuTimes({ all: pid }).all ?? 0;
  const before = spent();
  return {
    stop: (pages) => ({
      peakMb: Math.max(...memory.stop().map(({ mb }) => mb)),
      cpuMs: (spent() - before) / pages,
    }),
  };
}

async function settingOf(): Promise<{ chromium: string } | undefined> {
  const chromium = findChromium(process.env.CHROMIUM_PATH);
  if (!chromium) throw new Error('no Chromium found: set CHROMIUM_PATH');
  return (await has(SITE_DIR, 'postgresql-doc-15')) ? { chromium } : undefined;
}

/** Whether it is installed; says how to get it if not. */
async function has(path: string, debianPackage: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    process.stderr.write(`bench: no ${path} (apt-get install ${debianPackage}), so no ${PART}\n`);
    return false;
  }
}

/** The site, and that many distinct addresses of it: under further queries if it has too few. */
async function startDocs(bench: Bench, keep: (child: Promise<Child>) => Promise<Child>) {
  const program = 'bench/processes/docs-site.js';
  const server = await keep(
    startOurs(bench, { program, driver: 'rabbitmq', databaseUrl: '', env: { SITE_DIR } }),
  );
  const site = server.ready.url ?? '';
  const urlsOf = async (count: number): Promise<string[]> => {
    const paths = await server.call<string[]>('paths');
    return Array.from({ length: count }, (_, index) => {
      const round = Math.floor(index / paths.length);
      return `${site}${paths[index % paths.length]}${round > 0 ? `?round=${round}` : ''}`;
    });
  };
  return { site, urlsOf };
}
