import { readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { type Bench, startOurs, startPeer, withChildren } from '../bench.ts';
import type { Child } from '../child.ts';
import { inTurns, median } from '../measure.ts';
import { rateOf, scrapeOurs } from './pages.ts';
import { installPeers } from './peers.ts';

const PART = 'http';
/** Requests under way at once, ours and the peers'. */
const LANES = 4;
/** Debian's `postgresql-doc-15`: over a thousand pages that nobody here wrote. */
const SITE_DIR = process.env.BENCH_SITE_DIR ?? '/usr/share/doc/postgresql-doc-15/html';

/** A rate, and the most memory the process that fetched and read had. */
interface Measured {
  rate: number;
  peakMb: number;
}

/**
 * Static pages a second without a browser: ours through a real job, with markdown, links and metadata, each page stored in
 * Postgres; beside Crawlee's CheerioCrawler, with and without its dataset on disk, and undici with cheerio by hand, which take
 * the title and the links.
 */
export async function measureHttp(bench: Bench): Promise<void> {
  const { options, report } = bench;
  try {
    await access(SITE_DIR);
  } catch {
    process.stderr.write(`bench: no ${SITE_DIR} (apt-get install postgresql-doc-15), so no ${PART}\n`);
    return;
  }
  await installPeers();
  await withChildren(async (keep) => {
    const program = 'scripts/bench/processes/docs-site.js';
    const server = await keep(
      startOurs(bench, { program, driver: 'rabbitmq', databaseUrl: '', env: { SITE_DIR } }),
    );
    const site = server.ready.url ?? '';
    const paths = await server.call<string[]>('paths');
    const urls = paths.slice(0, options.quick ? 200 : 1000).map((path) => `${site}${path}`);

    const ours = (render: 'http' | 'auto') => async (): Promise<Measured> => {
      let peakMb = 0;
      const rate = await scrapeOurs(bench, {
        ...{ site, urls, urlsEach: urls.length, formats: undefined, render, slots: 1 },
        onDone: (worker) => {
          peakMb = peakMbOf(worker);
        },
      });
      return { rate, peakMb };
    };
    const peer =
      (name: string, args: Record<string, unknown> = {}) =>
      (): Promise<Measured> =>
        withChildren(async (keepPeer) => {
          const child = await keepPeer(startPeer(bench, name));
          const times = await child.call<number[]>('scrape', { urls, lanes: LANES, ...args });
          return { rate: rateOf(times), peakMb: peakMbOf(child) };
        });
    const turns = await inTurns(options.rounds, {
      auto: ours('auto'),
      crawlee: peer('crawlee-cheerio', { persist: true }),
      http: ours('http'),
      crawleeInMemory: peer('crawlee-cheerio', { persist: false }),
      byHand: peer('undici-cheerio'),
    });

    const rates = (measured: Measured[]) => measured.map(({ rate }) => rate);
    const peak = (measured: Measured[]) =>
      `peak ${Math.round(Math.max(...measured.map(({ peakMb }) => peakMb)))} MB`;
    const fastest = Math.max(median(rates(turns.crawlee)), median(rates(turns.crawleeInMemory)));
    const ceiling = { name: 'CheerioCrawler, the faster of both', value: fastest };
    const add = (name: string, measured: Measured[], compared = {}) =>
      report.add({
        ...{ part: PART, name, note: peak(measured), unit: '/s', rounds: rates(measured) },
        value: median(rates(measured)),
        ...compared,
      });
    add('render auto, a job: markdown + links + metadata, stored', turns.auto, {
      ceiling,
      target: { of: 'ratio', atLeast: 0.95 },
    });
    add('render http, the same', turns.http, { ceiling });
    add('CheerioCrawler: title + links, dataset on disk', turns.crawlee);
    add('CheerioCrawler: title + links, dataset in memory', turns.crawleeInMemory);
    add('undici + cheerio by hand: title + links', turns.byHand);
  });
}

/** Of the process itself; the kernel keeps the mark. */
function peakMbOf({ pid }: Child): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes ?? Number.NaN) / 1024;
}
