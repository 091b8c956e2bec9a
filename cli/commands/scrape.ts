import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  type Format,
  type LeadEngineError,
  type Page,
  PageError,
  type ScrapeOptions,
} from '../../sdk/src/index.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { examples, list, pairs, seconds, webUrl } from './arguments.ts';

const FORMATS = [
  'markdown',
  'text',
  'html',
  'raw_html',
  'links',
  'metadata',
  'contacts',
  'screenshot',
  'pdf',
];
/** Written as they are; the others are JSON. */
const TEXTS = new Set(['markdown', 'text', 'html', 'raw_html']);
const FILES = new Set(['screenshot', 'pdf']);

export interface PageFlags {
  format?: string[];
  extract?: Record<string, string>;
  header?: Record<string, string>;
  render?: 'auto' | 'http' | 'browser';
  full?: boolean;
  timeout?: number;
}

/** Options about pages, shared with `crawl`. */
export const pageOptions = (command: Command): Command =>
  command
    .option('-f, --format <names>', `what to keep of a page: ${FORMATS.join(', ')}`, list(FORMATS))
    .option('--extract <name=selector>', 'a field by its CSS selector; may be repeated', pairs('='))
    .option('--header <name:value>', 'a header for the site; may be repeated', pairs(':'))
    .option('--render <how>', 'auto, http or browser')
    .option('--full', 'the whole page, not its main content alone')
    .option('--timeout <seconds>', 'for loading a page', seconds);

/** The fields of a job that these options mean. */
export const fieldsOf = ({ format, extract, header, render, full, timeout }: PageFlags): ScrapeOptions => ({
  ...(format ? { formats: format as Format[] } : {}),
  ...(extract ? { extract } : {}),
  ...(header ? { headers: header } : {}),
  ...(render ? { render } : {}),
  ...(full ? { main_content: false } : {}),
  ...(timeout ? { timeout_ms: timeout * 1000 } : {}),
});

export function addScrape(program: Command, context: () => Context): void {
  pageOptions(program.command('scrape <url>'))
    .summary('load a page and print it as markdown')
    .description('Loads a page and prints it: as markdown, or as what --format names.')
    .option('-o, --output <file>', 'write there instead')
    .addHelpText(
      'after',
      examples(
        ['leadengine scrape https://example.com/', 'the main content as markdown'],
        ['leadengine scrape https://example.com/ --json | jq .title', 'everything as JSON'],
        ['leadengine scrape https://example.com/ -f screenshot -o page.png', 'a picture of it'],
        ["leadengine scrape https://example.com/ --extract 'price=.price'", 'one field, as JSON'],
      ),
    )
    .action(async (url: string, flags: PageFlags & { output?: string }) => {
      const { output, signal, connect } = context();
      const wanted = flags.format ?? (flags.extract && !output.json ? ['metadata'] : ['markdown']);
      const [format = 'markdown'] = wanted;
      const target = webUrl(url);
      if (FILES.has(format) && !flags.output && output.stdout.isTTY) {
        throw new Failure(`a ${format} is no text for a terminal: write it to a file with -o`);
      }
      const engine = await connect();
      const fields = fieldsOf({
        ...flags,
        format: output.json ? (flags.format ?? undefined) : wanted,
      } as PageFlags);
      let failure: PageError | undefined;
      const page = await engine.scrape(target, { ...fields, signal }).catch((error: LeadEngineError) => {
        // What there is of a page with an error status is worth having.
        if (!(error instanceof PageError) || error.page.status_code === null) throw error;
        failure = error;
        return error.page;
      });
      const write = (content: string | Uint8Array) =>
        flags.output ? writeFile(flags.output, content) : output.write(content);
      const path = page[format as 'screenshot' | 'pdf'];
      if (!output.json && wanted.length === 1 && FILES.has(format) && path) {
        await write(await engine.download(path, { signal }));
      } else await write(textOf(page, wanted, output.json, flags.extract !== undefined));
      if (failure) throw failure;
    });
}

function textOf(page: Page, formats: string[], asJson: boolean, isExtract: boolean): string {
  const [format = 'markdown'] = formats;
  if (asJson) return `${JSON.stringify(page)}\n`;
  if (isExtract) return `${JSON.stringify(page.extracted ?? {}, null, 2)}\n`;
  if (formats.length > 1) return `${JSON.stringify(page, null, 2)}\n`;
  const content = page[format as keyof Page];
  if (TEXTS.has(format)) return `${String(content ?? '').replace(/\n*$/, '')}\n`;
  return `${JSON.stringify(content ?? null, null, 2)}\n`;
}
