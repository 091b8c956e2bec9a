import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import type { Bench } from './bench.ts';
import { parseOptions, USAGE, UsageError } from './options.ts';
import { measureAccepting } from './parts/accept.ts';
import { measureBacklog } from './parts/backlog.ts';
import { measureClicks } from './parts/clicks.ts';
import { measureCrawl } from './parts/crawl.ts';
import { measureDraining } from './parts/drain.ts';
import { measureEventLoop } from './parts/event-loop.ts';
import { explainAccessPaths } from './parts/explain.ts';
import { measureHttp } from './parts/http.ts';
import { measureIdle } from './parts/idle.ts';
import { measureNotifications } from './parts/notifications.ts';
import { measurePages } from './parts/pages.ts';
import { measureBrowser, measureMemory } from './parts/pages-browser.ts';
import { installPeers, measurePeerSends } from './parts/peers.ts';
import { measureRedirects } from './parts/redirects.ts';
import { measureScrape } from './parts/scrape.ts';
import { measureStats } from './parts/stats.ts';
import { measureStreams } from './parts/streams.ts';
import { createReport, formatTable, isMet, ratioOf } from './report.ts';
import { startServices } from './services.ts';

/** `npm run bench`: starts its own servers, measures, and prints a table. What each figure means: docs/internals/benchmarks.md. */
async function main(): Promise<void> {
  if (process.argv.includes('--help')) return console.log(USAGE);
  const options = parseOptions(process.argv.slice(2));
  const { only } = options;
  if (only.has('peers')) await installPeers();
  process.stderr.write(`bench: ${[...only].join(', ')}; load average ${loadavg()[0]?.toFixed(2)}\n`);
  const services = await startServices(options);
  const stop = () => {
    void services.stop().then(() => process.exit(1));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const bench: Bench = { services, options, report: createReport() };
  const begun = new Date();
  try {
    if (only.has('accept')) await measureAccepting(bench);
    if (only.has('accept') && only.has('peers')) await measurePeerSends(bench);
    if (only.has('drain')) await measureDraining(bench);
    if (only.has('idle')) await measureIdle(bench);
    if (only.has('backlog')) await measureBacklog(bench);
    if (only.has('notifications')) await measureNotifications(bench);
    if (only.has('streams')) await measureStreams(bench);
    if (only.has('redirects')) await measureRedirects(bench);
    if (only.has('clicks')) await measureClicks(bench);
    if (only.has('crawl')) await measureCrawl(bench);
    if (only.has('event_loop')) await measureEventLoop(bench);
    if (only.has('stats')) await measureStats(bench);
    if (only.has('pages')) await measurePages(bench);
    if (only.has('scrape')) await measureScrape(bench);
    if (only.has('http')) await measureHttp(bench);
    if (only.has('browser')) await measureBrowser(bench);
    if (only.has('memory')) await measureMemory(bench);
    if (only.has('explain')) await explainAccessPaths(bench);
  } finally {
    await services.stop();
  }
  await print(bench, begun);
}

async function print({ report, options }: Bench, begun: Date): Promise<void> {
  const { figures } = report;
  const machine = {
    cpus: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    load_average: loadavg().map((load) => Math.round(load * 100) / 100),
  };
  if (figures.length > 0) console.log(`\n${formatTable(figures)}`);
  console.log(
    `\n${machine.cpus}, ${machine.memory_gb} GB, Node ${machine.node}; load average at the end ${machine.load_average.join(' ')}; ${options.rounds} rounds${options.quick ? ', quick' : ''}`,
  );
  if (!options.json) return;
  const rows = figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), ok: isMet(figure) }));
  const document = {
    begun,
    ended: new Date(),
    machine,
    rounds: options.rounds,
    quick: options.quick,
    figures: rows,
  };
  await writeFile(options.json, `${JSON.stringify(document, null, 2)}\n`);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(error instanceof UsageError ? `bench: ${error.message}` : error);
  process.exit(1);
}
