import { Command } from 'commander';
import { addCompletion } from './commands/completion.ts';
import { addCrawl } from './commands/crawl.ts';
import { addEvents } from './commands/events.ts';
import { addJobs } from './commands/jobs.ts';
import { addLeads } from './commands/leads.ts';
import { addLogin } from './commands/login.ts';
import { addMap } from './commands/map.ts';
import { addScrape } from './commands/scrape.ts';
import { addStats } from './commands/stats.ts';
import { addUp } from './commands/up.ts';
import type { Context } from './context.ts';

/** Options before or after any command. */
export interface GlobalFlags {
  server?: string;
  key?: string;
  json?: boolean;
  quiet?: boolean;
  color: boolean;
}

const BEGIN = `
A first page, with nothing set up: a server is started on this machine.
  leadengine scrape https://example.com/

A site as one file per page, and a list of businesses:
  leadengine crawl https://example.com/docs/ -o docs
  leadengine leads "joiners in Leeds" -o leads.xlsx

The server is the one of --server, LEADENGINE_URL or \`leadengine login\`; else the one that runs on
this machine. \`leadengine <command> --help\` has examples of each command.

Exit codes: 0 done, 1 unexpected, 2 usage, 3 page or job failed, 4 unreachable, 5 key refused,
6 no such job, 130 interrupted.`;

/** The commands. Each is one file in commands/. */
export function createProgram(version: string, context: (flags: GlobalFlags) => Context): Command {
  const program = new Command('leadengine')
    .description('Pages, sites and business leads from a LeadEngine server.')
    .version(version, '-V, --version')
    .option('--server <url>', 'of the server (LEADENGINE_URL)')
    .option('--key <key>', 'API key (LEADENGINE_API_KEY)')
    .option('--json', 'results as JSON, one per line')
    .option('-q, --quiet', 'results and errors only')
    .option('--no-color', 'as NO_COLOR')
    .addHelpText('after', BEGIN)
    .showSuggestionAfterError()
    .exitOverride();
  // Known when a command runs.
  const current = () => context(program.opts<GlobalFlags>());
  for (const add of [
    ...[addScrape, addCrawl, addLeads, addMap],
    ...[addWatchAndLogs, addJobs, addStats, addLogin, addUp, addCompletion],
  ]) {
    add(program, current);
  }
  inherit(program);
  return program;
}

const addWatchAndLogs = addEvents;

/** An error of a subcommand is thrown as well, and the global options are shown in its help. */
function inherit(command: Command): void {
  for (const each of command.commands) {
    each.copyInheritedSettings(command).configureHelp({ showGlobalOptions: true });
    inherit(each);
  }
}
