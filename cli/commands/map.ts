import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { examples, several, webUrl, whole } from './arguments.ts';

interface MapFlags {
  search?: string;
  limit?: number;
  include?: string[];
  exclude?: string[];
}

export function addMap(program: Command, context: () => Context): void {
  program
    .command('map <url>')
    .summary('list the addresses of a site')
    .description('Lists the addresses of a site, one per line, from its sitemaps and pages.')
    .option('--search <words>', 'only addresses and titles with all of these words')
    .option('--limit <count>', 'at most as many (5,000)', whole)
    .option('--include <glob>', 'only these; may be repeated', several)
    .option('--exclude <glob>', 'not these; may be repeated', several)
    .addHelpText(
      'after',
      examples(
        ['leadengine map https://example.com/ > urls.txt', 'all of them'],
        ['leadengine map https://example.com/ --search pricing --json', 'with titles'],
      ),
    )
    .action(async (url: string, flags: MapFlags) => {
      const { output, signal, connect } = context();
      const target = webUrl(url);
      const engine = await connect();
      const site = await engine.map(target, { ...flags, signal });
      if (output.json) await output.value(site);
      else for (const found of site.urls) await output.line(found.url);
      if (site.incomplete)
        output.say(`leadengine: there may be more${site.message ? `: ${site.message}` : ''}`);
    });
}
