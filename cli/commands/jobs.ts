import type { Command } from 'commander';
import type { Job, JobStatus } from '../../sdk/src/index.ts';
import type { Context } from '../context.ts';
import { type Colors, table } from '../output.ts';
import { examples, list, moment, whole } from './arguments.ts';

const STATUSES = ['scheduled', 'queued', 'running', 'retrying', 'completed', 'failed', 'cancelled'];

interface ListFlags {
  status?: string[];
  since?: Date;
  limit: number;
}

export function addJobs(program: Command, context: () => Context): void {
  const jobs = program
    .command('jobs')
    .summary('list, show, cancel and retry jobs')
    .description('Lists your jobs, newest first; shows, cancels and retries one.')
    .addHelpText(
      'after',
      examples(
        ['leadengine jobs list --status failed --since 7d', 'what failed this week'],
        ['leadengine jobs show 0190… --json', 'everything about one'],
        [
          'leadengine jobs list --status failed --json | jq -r .job_id | xargs leadengine jobs retry',
          'again',
        ],
      ),
    );

  jobs
    .command('list', { isDefault: true })
    .description('Your jobs, newest first.')
    .option('--status <names>', STATUSES.join(', '), list(STATUSES))
    .option('--since <time>', 'accepted since: a date, or 7d', moment)
    .option('-n, --limit <count>', 'at most as many', whole, 20)
    .action(async ({ status, since, limit }: ListFlags) => {
      const { output, signal, connect } = context();
      const engine = await connect({ mayStart: false });
      const found: Job[] = [];
      const filter = {
        ...(status ? { status: status as JobStatus[] } : {}),
        ...(since ? { created_after: since } : {}),
      };
      if (limit > 0) {
        for await (const job of engine.jobs(filter, { signal })) {
          found.push(job);
          if (found.length >= limit) break;
        }
      }
      if (output.json) for (const job of found) await output.value(job);
      else for (const line of table(found.map((job) => rowOf(job)))) await output.line(line);
    });

  jobs
    .command('show <id>')
    .description('One job: what it is to do, how far it is, and its attempts.')
    .action(async (id: string) => {
      const { output, signal, connect } = context();
      const job = await (await connect({ mayStart: false })).job(id, { signal });
      if (output.json) return output.value(job);
      for (const line of describe(job, output.colors)) await output.line(line);
    });

  change('cancel', 'Cancels jobs, also while they run; what they found stays.');
  change('retry', 'Runs failed or cancelled jobs again.');

  function change(name: 'cancel' | 'retry', description: string): void {
    jobs
      .command(`${name} <ids...>`)
      .description(description)
      .action(async (ids: string[]) => {
        const { output, signal, connect } = context();
        const engine = await connect({ mayStart: false });
        for (const id of ids) {
          const job = await engine[name](id, { signal });
          await (output.json ? output.value(job) : output.line(`${job.job_id} ${job.status}`));
        }
      });
  }
}

function rowOf(job: Job): string[] {
  const { pages, leads } = job.counts;
  const counts = leads > 0 ? `${leads} leads` : `${pages} pages`;
  return [job.job_id, job.status.padEnd(9), timeOf(job.created_at), counts, targetOf(job)];
}

const timeOf = (moment: string) => moment.slice(0, 16).replace('T', ' ');

function targetOf({ spec }: Job): string {
  const [first, ...others] = spec.urls ?? [];
  if (first) return others.length > 0 ? `${first} and ${others.length} more` : first;
  return (
    spec.search_query ?? [spec.industry, spec.keywords?.join(' '), spec.geography].filter(Boolean).join(', ')
  );
}

function describe(job: Job, { bold }: Colors): string[] {
  const { progress, counts, error } = job;
  const rows: [string, string][] = [
    ['job', job.job_id],
    ['status', job.status],
    ['target', targetOf(job)],
    ['progress', `${progress.done} of ${progress.total}${progress.message ? `: ${progress.message}` : ''}`],
    ['stored', `${counts.pages} pages (${counts.errors} with an error), ${counts.leads} leads`],
    ['attempts', `${job.attempt} of ${job.max_attempts}`],
    ['created', job.created_at],
    ...(job.finished_at ? ([['finished', job.finished_at]] as [string, string][]) : []),
    ...(error ? ([['error', `${error.message} (${error.code})`]] as [string, string][]) : []),
  ];
  const attempts = job.attempts.map(
    ({ attempt, started_at, outcome, error: why }) =>
      `  ${attempt}  ${timeOf(started_at)}  ${outcome ?? 'runs'}${why ? `  ${why.message} (${why.code})` : ''}`,
  );
  return [...rows.map(([name, value]) => `${bold(name.padEnd(9))} ${value}`), ...attempts];
}
