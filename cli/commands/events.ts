import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { LeadEngine, LiveEvent } from '../../sdk/src/index.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import type { Colors } from '../output.ts';
import { findLocalServer } from '../server/local-server.ts';
import { examples, several } from './arguments.ts';

interface LogFlags {
  follow?: boolean;
  type?: string[];
  local?: boolean;
}

/** `watch` and `logs`: events as lines. */
export function addEvents(program: Command, context: () => Context): void {
  program
    .command('watch [job]')
    .summary('print what happens, as it happens')
    .description('Prints events as they happen: of a job until it ends, or all of yours until Ctrl-C.')
    .option('--type <name>', 'only these, such as job.failed or job.*; may be repeated', several)
    .addHelpText(
      'after',
      examples(
        ['leadengine watch', 'everything of yours'],
        ['leadengine watch --type job.failed --json', 'failures, one JSON per line'],
      ),
    )
    .action(async (job: string | undefined, { type }: { type?: string[] }) => {
      const { output, signal, connect } = context();
      const engine = await connect({ mayStart: false });
      for await (const event of engine.events(job, { signal, types: type })) {
        await (output.json ? output.value(event) : output.line(lineOf(event, output.colors)));
      }
    });

  program
    .command('logs [job]')
    .summary('print what happened')
    .description('Prints the events so far: of a job, or all of yours. With -f also those that follow.')
    .option('-f, --follow', 'go on with those that follow')
    .option('--type <name>', 'only these, such as job.failed or job.*; may be repeated', several)
    .option('--local', 'the log of the server in the background on this machine')
    .addHelpText(
      'after',
      examples(
        ['leadengine logs 0190…', 'a job from its first event on'],
        ['leadengine logs -f --type job.failed', 'failures, and further ones'],
        ['leadengine logs --local -f', 'what the server in the background writes'],
      ),
    )
    .action(async (job: string | undefined, flags: LogFlags) => {
      const given = context();
      const { output, signal } = given;
      if (flags.local) return serverLog(given, flags.follow ?? false);
      const engine = await given.connect({ mayStart: false });
      const show = (event: LiveEvent) =>
        output.json ? output.value(event) : output.line(lineOf(event, output.colors));
      let last: string | undefined;
      for await (const event of pastEvents(engine, job, flags.type, signal)) {
        last = event.cursor;
        await show(event);
      }
      if (!flags.follow) return;
      for await (const event of engine.events(job, { signal, types: flags.type, lastEventId: last })) {
        await show(event);
      }
    });
}

async function* pastEvents(
  engine: LeadEngine,
  job: string | undefined,
  type: string[] | undefined,
  signal: AbortSignal,
): AsyncGenerator<LiveEvent, void, undefined> {
  const path = job === undefined ? '/api/v1/events' : `/api/v1/jobs/${encodeURIComponent(job)}/events`;
  let after: string | undefined;
  do {
    const query = { format: 'json', limit: 500, after, type };
    const part: { events: LiveEvent[]; next_cursor: string | null } = await engine.request(path, {
      query,
      signal,
    });
    yield* part.events;
    after = part.next_cursor ?? undefined;
  } while (after !== undefined);
}

function lineOf({ occurred_at: at, type, data }: LiveEvent, { dim, red, green }: Colors): string {
  const { job_id: job, done, total, message, error, counts } = data;
  const color = /failed$/.test(type) ? red : /completed$/.test(type) ? green : String;
  const details = [
    job,
    ...(total === undefined ? [] : [`${done}/${total}`]),
    ...(counts && total === undefined ? [`${counts.pages} pages, ${counts.leads} leads`] : []),
    message,
    data.company ?? data.url ?? data.name,
    error && `${error.message} (${error.code})`,
  ];
  return [dim(at.slice(0, 19)), color(type), ...details.filter(Boolean)].join('  ');
}

const POLL_MS = 300;

async function serverLog({ output, signal, env, folders }: Context, isFollowed: boolean): Promise<void> {
  const dataDir = (await findLocalServer(env, folders))?.dataDir ?? folders.data;
  const file = join(dataDir, 'server.log');
  let read = 0;
  do {
    const size = await stat(file).then(
      (found) => found.size,
      () => null,
    );
    if (size === null) {
      throw new Failure(`there is no ${file}: \`npm start\` and \`leadengine up\` write to their terminal`);
    }
    // It was started anew.
    if (size < read) read = 0;
    if (size > read) {
      for await (const chunk of createReadStream(file, { start: read, end: size - 1 }))
        await output.write(chunk);
      read = size;
    }
    if (isFollowed) await sleep(POLL_MS, undefined, { signal });
  } while (isFollowed);
}
