import type { Command } from 'commander';
import type { LeadEngine } from '../../sdk/src/index.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { startProgress } from '../progress.ts';
import { examples, moment, several, webUrl, whole } from './arguments.ts';
import { CrawlFolder, type CrawlState } from './crawl-folder.ts';
import { followFigures } from './follow-figures.ts';
import { fieldsOf, type PageFlags, pageOptions } from './scrape.ts';

interface CrawlFlags extends PageFlags {
  output: string;
  max?: number;
  depth?: number;
  include?: string[];
  exclude?: string[];
  subdomains?: boolean;
  since?: Date;
  fresh?: boolean;
}

export function addCrawl(program: Command, context: () => Context): void {
  pageOptions(program.command('crawl <url>'))
    .summary('walk a site and write one file per page')
    .description(
      'Walks a site, politely, and writes one file per page into a folder. Interrupted, the same command\n' +
        'goes on where it was; on a finished folder it walks again and rewrites what has changed.',
    )
    .requiredOption('-o, --output <folder>', 'where the files go')
    .option('--max <pages>', 'at most as many pages', whole)
    .option('--depth <links>', 'at most as many links from the first page', whole)
    .option('--include <glob>', 'only these, such as /docs/**; may be repeated', several)
    .option('--exclude <glob>', 'not these; may be repeated', several)
    .option('--subdomains', 'those of the site too')
    .option('--since <time>', 'only pages not declared older: a date, or 7d', moment)
    .option('--fresh', 'begin again, whatever was there')
    .addHelpText(
      'after',
      examples(
        ['leadengine crawl https://example.com/docs/ -o docs --include "/docs/**"', 'a part of a site'],
        ['leadengine crawl https://example.com/ -o site -f text --max 500', 'as plain text'],
        ['leadengine crawl https://example.com/blog/ -o news --since 7d', "the last week's posts"],
      ),
    )
    .action(async (url: string, flags: CrawlFlags) => {
      const given = context();
      const { output, signal } = given;
      const target = webUrl(url);
      const folder = await CrawlFolder.open(flags.output, { url: target, fresh: flags.fresh ?? false });
      const format = flags.format?.[0] ?? 'markdown';
      const engine = await given.connect();
      const state = await begin(engine, folder, target, flags, signal);
      output.say(`leadengine: job ${state.job_id} on ${engine.url}`);

      const progress = startProgress(output, 'pages');
      const stopFigures = followFigures(engine, state.job_id, signal, (figures, detail) =>
        progress.update(figures, detail),
      );
      const errors: string[] = [];
      try {
        const pages = engine.followPages(state.job_id, { signal });
        for await (const page of pages) {
          if (page.error) {
            errors.push(`${page.url}: ${page.error.message} (${page.error.code})`);
            continue;
          }
          if (flags.since && isOlder(page.metadata, flags.since)) continue;
          const written = await folder.write(page, format);
          if (output.json) await output.value(written);
        }
      } finally {
        stopFigures();
        progress.stop();
        await folder.save();
      }
      const { added, changed, same, gone } = await folder.finish();
      for (const line of errors.slice(0, 20)) output.say(`leadengine: ${line}`);
      const others = errors.length > 0 ? `, ${errors.length} failed` : '';
      const lost = gone > 0 ? `, ${gone} no longer there` : '';
      output.say(
        `leadengine: ${added} new, ${changed} changed, ${same} unchanged${lost}${others}: ${flags.output}`,
      );
      if (errors.length > 0 && added + changed + same === 0) {
        throw new Failure('no page could be loaded', EXIT.failed);
      }
    });
}

/** The job of the folder, run on; or a new one. */
async function begin(
  engine: LeadEngine,
  folder: CrawlFolder,
  url: string,
  flags: CrawlFlags,
  signal: AbortSignal,
): Promise<CrawlState> {
  const { state } = folder;
  const unfinished = state && !state.finished && state.server === engine.url ? state : null;
  const job = unfinished
    ? await engine.job(unfinished.job_id, { signal }).catch((error: { status?: number }) => {
        if (error.status === 404) return null;
        throw error;
      })
    : null;
  if (unfinished && job) {
    if (job.status === 'cancelled' || job.status === 'failed') await engine.retry(job.job_id, { signal });
    return unfinished;
  }
  const { format, ...others } = flags;
  const fields = fieldsOf({ ...others, format: [...new Set([...(format ?? ['markdown']), 'metadata'])] });
  const { job_id } = await engine.submit(
    {
      ...fields,
      urls: [url],
      crawl: {
        ...(flags.max ? { max_pages: flags.max } : {}),
        ...(flags.depth === undefined ? {} : { max_depth: flags.depth }),
        ...(flags.include ? { include: flags.include } : {}),
        ...(flags.exclude ? { exclude: flags.exclude } : {}),
        ...(flags.subdomains ? { same_origin: false } : {}),
      },
    },
    { signal },
  );
  return folder.begin({ url, server: engine.url, job_id });
}

/** Pages that declare no date are kept. */
function isOlder(metadata: Record<string, unknown> | undefined, since: Date): boolean {
  const declared = metadata?.modified ?? metadata?.published;
  const at = typeof declared === 'string' ? Date.parse(declared) : Number.NaN;
  return at < since.getTime();
}
