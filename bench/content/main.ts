import { writeFile } from 'node:fs/promises';
import { UsageError } from '../options.ts';
import { hasInCorpus } from './corpus.ts';
import { type ContentBenchOptions, parseContentOptions, USAGE } from './options.ts';
import type { ContentBench, Row } from './part.ts';
import { CONTENT_PARTS } from './parts.ts';
import { createBrowserReader, createHtmlReader, type PageReader } from './reader.ts';

/**
 * `npm run bench:content`: extraction quality on labelled pages. What each figure means:
 * docs/internals/content-bench.md.
 */
async function main(): Promise<void> {
  if (process.argv.includes('--help')) return console.log(USAGE);
  const options = parseContentOptions(
    process.argv.slice(2),
    CONTENT_PARTS.map(({ name }) => name),
  );
  const readers: PageReader[] = [createHtmlReader()];
  if (options.browser) readers.push(await createBrowserReader());
  const details: string[] = [];
  const bench: ContentBench = {
    options,
    readers,
    detail: (fact) => {
      if (options.details) details.push(JSON.stringify(fact));
    },
  };
  const measured: (Row & { part: string })[] = [];
  try {
    for (const part of CONTENT_PARTS) {
      if (!options.only.has(part.name)) continue;
      if (!hasInCorpus(options.corpus, part.needs)) {
        process.stderr.write(`bench: no ${part.needs} in the corpus, so no ${part.name}\n`);
        continue;
      }
      process.stderr.write(`bench: ${part.name}\n`);
      for (const row of await part.measure(bench)) measured.push({ part: part.name, ...row });
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.stop()));
  }
  console.log(formatRows(measured));
  await writeReport(options, measured, details);
}

async function writeReport(
  { report, details: detailsFile, corpus, half, browser }: ContentBenchOptions,
  measured: (Row & { part: string })[],
  details: string[],
): Promise<void> {
  const figures = measured.map((row) => ({ ...row, ok: isMet(row) }));
  const document = { corpus, half: half ?? 'both', browser, node: process.version, figures };
  if (report) await writeFile(report, `${JSON.stringify(document, null, 2)}\n`);
  if (detailsFile) await writeFile(detailsFile, details.map((line) => `${line}\n`).join(''));
}

/** Whether the target is met; undefined without a target. */
function isMet({ figure, target }: Row): boolean | undefined {
  if (!target) return undefined;
  return (
    figure >= (target.atLeast ?? Number.NEGATIVE_INFINITY) &&
    figure <= (target.atMost ?? Number.POSITIVE_INFINITY)
  );
}

const HEAD = ['part', 'measured', 'figure', 'target', '', 'note'];

function formatRows(rows: readonly (Row & { part: string })[]): string {
  const cells = rows.map((row) => {
    const { atLeast, atMost } = row.target ?? {};
    const target = atLeast !== undefined ? `>= ${atLeast}` : atMost !== undefined ? `<= ${atMost}` : '';
    const met = isMet(row);
    const verdict = met === undefined ? '' : met ? 'ok' : 'short';
    return [row.part, row.name, shown(row.figure), target, verdict, row.note ?? ''];
  });
  const table = [HEAD, ...cells];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`);
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return lines.join('\n');
}

const shown = (figure: number) =>
  Math.abs(figure) <= 1 ? figure.toFixed(3) : String(Math.round(figure * 10) / 10);

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(error instanceof UsageError ? `bench: ${error.message}` : error);
  process.exit(1);
}
