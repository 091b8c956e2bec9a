import type { Command } from 'commander';
import type { Stats } from '../../sdk/src/index.ts';
import type { Context } from '../context.ts';
import { table } from '../output.ts';
import { examples, moment } from './arguments.ts';

export function addStats(program: Command, context: () => Context): void {
  program
    .command('stats')
    .summary('what your jobs did')
    .description('Numbers of your jobs: of the last 30 days, or since --since.')
    .option('--since <time>', 'a date, or 7d', moment)
    .addHelpText('after', examples(['leadengine stats --since 7d', 'of this week']))
    .action(async ({ since }: { since?: Date }) => {
      const { output, signal, connect } = context();
      const engine = await connect({ mayStart: false });
      const stats = await engine.stats(since ? { from: since } : {}, { signal });
      if (output.json) return output.value(stats);
      for (const line of linesOf(stats)) await output.line(line);
    });
}

function linesOf(stats: Stats): string[] {
  const { jobs_by_state: jobs, success_rate: rate } = stats;
  const ms = (value: number | null) => (value === null ? '–' : `${Math.round(value)} ms`);
  const rows = [
    ['from', stats.from.slice(0, 16).replace('T', ' ')],
    ['jobs', `${stats.created} accepted, ${jobs.completed} completed, ${jobs.failed} failed`],
    ['now', `${jobs.queued + jobs.scheduled + jobs.retrying} wait, ${jobs.running} run`],
    ['success', rate === null ? '–' : `${(rate * 100).toFixed(1)} %`],
    ['pages', `${stats.pages}, ${stats.page_errors} with an error`],
    ['leads', String(stats.leads)],
    ['duration', `median ${ms(stats.duration_ms.p50)}, 95 % below ${ms(stats.duration_ms.p95)}`],
  ];
  const errors = stats.errors.slice(0, 5).map(({ code, jobs: count }) => [code, `${count} jobs`]);
  const hosts = stats.hosts.slice(0, 5).map(({ host, pages }) => [host, `${pages} pages`]);
  return [
    ...table(rows),
    ...(errors.length > 0 ? ['', 'Errors', ...table(errors)] : []),
    ...(hosts.length > 0 ? ['', 'Hosts', ...table(hosts)] : []),
  ];
}
