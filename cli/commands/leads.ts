import { createWriteStream } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Command } from 'commander';
import type { Lead, LeadEngine, LeadOptions, SourceType } from '../../sdk/src/index.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { startProgress } from '../progress.ts';
import { examples, list, several, webUrl, whole } from './arguments.ts';
import { followFigures } from './follow-figures.ts';

const SOURCES = [
  ...['website', 'google', 'linkedin', 'bing', 'duckduckgo', 'searxng', 'openstreetmap', 'directory'],
];
const FILES = ['.xlsx', '.csv', '.json', '.ndjson'];

interface LeadFlags {
  output?: string;
  max?: number;
  country?: string[];
  email?: boolean;
  phone?: boolean;
  source?: string[];
  site?: string[];
}

export function addLeads(program: Command, context: () => Context): void {
  program
    .command('leads [query]')
    .summary('find businesses with their e-mail addresses and phones')
    .description(
      'Searches for businesses, reads their sites, and prints one line per lead, or writes a file.\n' +
        '"joiners in Leeds" is an industry and a place; other text is searched as it is.',
    )
    .option('-o, --output <file>', 'write there: .xlsx, .csv, .json or .ndjson')
    .option('--max <leads>', 'at most as many (100)', whole)
    .option('--country <name>', 'only of this country; may be repeated', several)
    .option('--email', 'only those with an e-mail address')
    .option('--phone', 'only those with a phone')
    .option('--source <names>', `where to look: ${SOURCES.join(', ')}`, list(SOURCES))
    .option('--site <url>', 'read this site instead of searching; may be repeated', several)
    .addHelpText(
      'after',
      examples(
        ['leadengine leads "joiners in Leeds" -o leads.xlsx', 'a workbook'],
        ['leadengine leads "dentists in Graz" --email --max 50 --json | jq .emails', 'one JSON per line'],
        ['leadengine leads --site https://example.com/ --site https://example.org/', 'of sites you know'],
      ),
    )
    .action(async (query: string | undefined, flags: LeadFlags) => {
      const { output, signal, connect } = context();
      if (!query && !flags.site) {
        throw new Failure('what to look for? `leadengine leads "joiners in Leeds"`, or --site');
      }
      const kind = flags.output ? extname(flags.output).toLowerCase() : '';
      if (flags.output && !FILES.includes(kind)) {
        throw new Failure(`${flags.output}: expected a name that ends in ${FILES.join(', ')}`);
      }
      const options = optionsOf(flags);
      const engine = await connect();
      const leads = query
        ? engine.leads(query, { ...options, signal })
        : engine.leads({ ...options, signal });
      const id = await leads.id;
      output.say(`leadengine: job ${id} on ${engine.url}`);
      const progress = startProgress(output, 'sites');
      const stopFigures = followFigures(engine, id, signal, (figures, detail, job) =>
        progress.update(figures, [`${job.counts.leads} leads`, detail].filter(Boolean).join(', ')),
      );
      let count = 0;
      try {
        for await (const lead of leads) {
          count += 1;
          if (flags.output) continue;
          progress.stop();
          await (output.json ? output.value(lead) : output.line(lineOf(lead)));
        }
      } finally {
        stopFigures();
        progress.stop();
      }
      if (flags.output) await save(engine, id, flags.output, kind, signal);
      const message = (await leads.job).progress.message;
      const where = flags.output ? `: ${flags.output}` : '';
      output.say(`leadengine: ${count} leads${where}${message && count === 0 ? ` (${message})` : ''}`);
    });
}

function optionsOf({ max, country, email, phone, source, site }: LeadFlags): LeadOptions {
  const filters = {
    ...(country ? { country } : {}),
    ...(email ? { has_email: true } : {}),
    ...(phone ? { has_phone: true } : {}),
  };
  return {
    ...(max ? { max_leads: max } : {}),
    ...(Object.keys(filters).length > 0 ? { filters } : {}),
    ...(source ? { source_types: source as SourceType[] } : {}),
    ...(site ? { urls: site.map(webUrl) } : {}),
    ...(site && !source ? { source_types: ['website'] } : {}),
  };
}

/** Replaced as a whole, so that a file is complete or the one before. */
async function save(
  engine: LeadEngine,
  id: string,
  file: string,
  kind: string,
  signal: AbortSignal,
): Promise<void> {
  const part = `${file}.part`;
  if (kind === '.json') {
    const leads: Lead[] = [];
    for await (const lead of engine.leadsOf(id, { signal })) leads.push(lead);
    await writeFile(part, `${JSON.stringify(leads, null, 2)}\n`);
  } else {
    const { body } = await engine.exportLeads(id, kind.slice(1) as 'csv', { signal });
    await pipeline(Readable.fromWeb(body as ReadableStream), createWriteStream(part));
  }
  await rename(part, file);
}

const lineOf = ({ company, domain, emails, phones, website }: Lead) =>
  [company ?? domain ?? '', emails[0] ?? '', phones[0] ?? '', website ?? ''].join('\t');
