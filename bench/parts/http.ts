import { readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { type Bench, startOurs, startPeer, withChildren } from '../bench.ts';
import type { Child } from '../child.ts';
import { interleave, median } from '../measure.ts';
import { rateOf, scrapeOurs } from './pages.ts';
import { installPeers } from './peers.ts';

const PART = 'http';
/** Concurrent requests, ours and the peers'. */
const CONCURRENCY = 4;
/** Debian's `postgresql-doc-15`: over a thousand independently written pages. */
const SITE_DIR = process.env.BENCH_SITE_DIR ?? '/usr/share/doc/postgresql-doc-15/html';

interface Measured {
  rate: number;
  /** Peak memory of the process that fetched and parsed. */
  peakMb: number;
  /** Processor time of that process since its start. */
  cpuMs: number;
}

/**
 * Static pages per second without a browser: ours through a real job, with markdown, links and
 * metadata, each page stored in Postgres; beside Crawlee's CheerioCrawler as installed (queue and
 * dataset on disk) and without storage, and undici with cheerio by hand. The peers take title and
 * links, as their users do.
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
    const program = 'bench/processes/docs-site.js';
    const server = await keep(
      startOurs(bench, { program, driver: 'rabbitmq', databaseUrl: '', env: { SITE_DIR } }),
    );
    const site = server.ready.url ?? '';
    const paths = await server.call<string[]>('paths');
    const urls = paths.slice(0, options.quick ? 200 : 1000).map((path) => `${site}${path}`);

    const ours = (render: 'http' | 'auto') => async (): Promise<Measured> => {
      let spent = { peakMb: 0, cpuMs: 0 };
      const rate = await scrapeOurs(bench, {
        ...{ site, urls, urlsEach: urls.length, formats: undefined, render, slots: 1 },
        onDone: (worker) => {
          spent = spentBy(worker);
        },
      });
      return { rate, ...spent };
    };
    const peer =
      (name: string, args: Record<string, unknown> = {}) =>
      (): Promise<Measured> =>
        withChildren(async (keepPeer) => {
          const child = await keepPeer(startPeer(bench, name));
          const times = await child.call<number[]>('scrape', { urls, concurrency: CONCURRENCY, ...args });
          return { rate: rateOf(times), ...spentBy(child) };
        });
    const results = await interleave(options.rounds, {
      auto: ours('auto'),
      crawlee: peer('crawlee-cheerio', { persist: true }),
      http: ours('http'),
      crawleeInMemory: peer('crawlee-cheerio', { persist: false }),
      byHand: peer('undici-cheerio'),
    });

    const rates = (measured: Measured[]) => measured.map(({ rate }) => rate);
    const cost = (measured: Measured[]) => {
      const peakMb = Math.round(Math.max(...measured.map((each) => each.peakMb)));
      const cpuMs = median(measured.map((each) => each.cpuMs)) / urls.length;
      return `peak ${peakMb} MB, ${cpuMs.toFixed(1)} ms CPU a page`;
    };
    const ceiling = { name: 'CheerioCrawler as installed', value: median(rates(results.crawlee)) };
    const add = (name: string, measured: Measured[], compared = {}) =>
      report.add({
        ...{ part: PART, name, note: cost(measured), unit: '/s', rounds: rates(measured) },
        value: median(rates(measured)),
        ...compared,
      });
    add('render auto, a job: markdown + links + metadata, stored', results.auto, {
      ceiling,
      target: { of: 'ratio', atLeast: 0.95 },
    });
    add('render http, the same', results.http, { ceiling });
    add('CheerioCrawler: title + links, queue and dataset on disk', results.crawlee);
    add('CheerioCrawler: title + links, nothing kept on disk', results.crawleeInMemory, { ceiling });
    add('undici + cheerio by hand: title + links, nothing kept', results.byHand, { ceiling });
  });
}

/** Of the process itself, without its Chromium; the kernel keeps the peak. */
function spentBy({ pid }: Child): { peakMb: number; cpuMs: number } {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  // Hundredths of a second, as Linux counts.
  const cpuMs = (Number(fields[11]) + Number(fields[12])) * 10;
  return { peakMb: Number(kilobytes ?? Number.NaN) / 1024, cpuMs };
}
