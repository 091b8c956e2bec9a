import { access } from 'node:fs/promises';
import type { JobSpec } from '../../../core/job.ts';
import { findChromium } from '../../../scraping/chromium.ts';
import { type Bench, startOurs, startPeer, withChildren } from '../bench.ts';
import type { Child } from '../child.ts';
import { inTurns, median } from '../measure.ts';
import { watchMemory } from '../memory.ts';
import { rateOf, scrapeOurs } from './pages.ts';
import { installPeers } from './peers.ts';

const PART = 'browser';
const LANES = 2;
/** Debian's `postgresql-doc-15`: over a thousand pages that nobody here wrote. */
const SITE_DIR = process.env.BENCH_SITE_DIR ?? '/usr/share/doc/postgresql-doc-15/html';

interface Measured {
  rate: number;
  /** The most that the process and its browser had together. */
  peakMb: number;
}

/**
 * Pages of a real site a second in the browser: ours through real jobs, a page a job and all in one, beside Playwright set up as
 * well as one can and Crawlee's PlaywrightCrawler as its users run it, all with the same Chromium.
 */
export async function measureBrowser(bench: Bench): Promise<void> {
  const { options, report } = bench;
  const setting = await settingOf();
  if (!setting) return;
  const { chromium } = setting;
  await installPeers();
  await withChildren(async (keep) => {
    const { site, urlsOf } = await startDocs(bench, keep);
    const urls = await urlsOf(options.quick ? 60 : 200);

    const ours =
      (urlsEach: number, slots: number, formats?: JobSpec['formats']) => async (): Promise<Measured> => {
        let memory: ReturnType<typeof watchMemory> | undefined;
        const rate = await scrapeOurs(bench, {
          ...{ site, urls, urlsEach, slots, formats, chromium, render: 'browser' },
          onStart: (worker) => {
            memory = watchMemory(worker.pid);
          },
        });
        return { rate, peakMb: peakOf(memory) };
      };
    const theirs = (start: () => Promise<Child>) => (): Promise<Measured> =>
      withChildren(async (keepTheirs) => {
        const child = await keepTheirs(start());
        const memory = watchMemory(child.pid);
        const rate = rateOf(await child.call<number[]>('scrape', { urls, lanes: LANES }));
        return { rate, peakMb: peakOf(memory) };
      });
    const env = { CHROMIUM_PATH: chromium };
    const program = 'scripts/bench/processes/best-playwright.js';
    const turns = await inTurns(options.rounds, {
      bare: theirs(() => startOurs(bench, { program, driver: 'rabbitmq', databaseUrl: '', env })),
      isolated: ours(1, LANES),
      crawlee: theirs(() => startPeer(bench, 'crawlee-playwright', env)),
      crawl: ours(urls.length, 1),
      isolatedRaw: ours(1, LANES, ['raw_html']),
    });

    const rates = (measured: Measured[]) => measured.map(({ rate }) => rate);
    const add = (name: string, measured: Measured[], compared = {}) => {
      const peakMb = Math.round(Math.max(...measured.map((each) => each.peakMb)));
      report.add({
        ...{ part: PART, name, note: `peak ${peakMb} MB`, unit: '/s', rounds: rates(measured) },
        value: median(rates(measured)),
        ...compared,
      });
    };
    const against = (name: string, measured: Measured[], atLeast: number) => ({
      ceiling: { name, value: median(rates(measured)) },
      target: { of: 'ratio', atLeast },
    });
    const best = ['best Playwright set-up', turns.bare] as const;
    const crawlee = ['PlaywrightCrawler', turns.crawlee] as const;
    const content = 'markdown + links + metadata, stored';
    add(`a context a page, ${LANES} slots: raw_html, stored`, turns.isolatedRaw, against(...best, 0.9));
    add(`a context a page, ${LANES} slots: ${content}`, turns.isolated, against(...best, 0.9));
    add('the same', turns.isolated, against(...crawlee, 1.5));
    add(`one job, its tabs at once: ${content}`, turns.crawl, against(...crawlee, 2.5));
    add(`Playwright: a context a page, ${LANES} at once, content alone`, turns.bare);
    add('PlaywrightCrawler as installed: title + content', turns.crawlee);
  });
}

/** Memory of a worker with its browser over many pages: of eight equal spans of the run, the median of what was seen. */
export async function measureMemory(bench: Bench): Promise<void> {
  const { options, report } = bench;
  const setting = await settingOf();
  if (!setting) return;
  await withChildren(async (keep) => {
    const { site, urlsOf } = await startDocs(bench, keep);
    const urls = await urlsOf(options.quick ? 400 : 2000);
    let memory: ReturnType<typeof watchMemory> | undefined;
    await scrapeOurs(bench, {
      ...{ site, urls, urlsEach: 50, slots: LANES, formats: undefined, render: 'browser' },
      chromium: setting.chromium,
      onStart: (worker) => {
        memory = watchMemory(worker.pid);
      },
    });
    const seen = memory?.stop() ?? [];
    const spans = Array.from({ length: 8 }, (_, span) =>
      median(
        seen
          .slice(Math.floor((seen.length * span) / 8), Math.floor((seen.length * (span + 1)) / 8))
          .map(({ mb }) => mb),
      ),
    );
    const [, second = Number.NaN] = spans;
    report.add({
      part: 'memory',
      name: `worker and browser over ${urls.length} pages, last eighth`,
      note: `MB by eighths: ${spans.map(Math.round).join(' ')}`,
      value: spans.at(-1) ?? Number.NaN,
      unit: 'count',
      ceiling: { name: 'the second eighth', value: second },
      target: { of: 'ratio', atMost: 1.15 },
    });
  });
}

const peakOf = (memory: ReturnType<typeof watchMemory> | undefined): number =>
  Math.max(...(memory?.stop() ?? []).map(({ mb }) => mb));

async function settingOf(): Promise<{ chromium: string } | undefined> {
  const chromium = findChromium(process.env.CHROMIUM_PATH);
  if (!chromium) throw new Error('no Chromium found: set CHROMIUM_PATH');
  try {
    await access(SITE_DIR);
    return { chromium };
  } catch {
    process.stderr.write(`bench: no ${SITE_DIR} (apt-get install postgresql-doc-15), so no ${PART}\n`);
    return undefined;
  }
}

/** The site, and so many of its addresses, each another one: the site again under another query where it has too few. */
async function startDocs(bench: Bench, keep: (child: Promise<Child>) => Promise<Child>) {
  const program = 'scripts/bench/processes/docs-site.js';
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
