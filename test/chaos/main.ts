import { writeFile } from 'node:fs/promises';
import { parseArguments, UsageError } from '../../bench/options.ts';
import { surviveLostOutput } from '../../runtime/process/standard-streams.ts';
import { formatReport, type Report } from './audit/report.ts';
import { MUTATIONS, type MutationName, type Proof, proveMutation } from './faults/mutation-proofs.ts';
import { FAULT_KINDS, type FaultKind, kindsOn } from './faults/plan.ts';
import type { Driver } from './installation.ts';
import { formatNotifications, type NotificationReport, runNotifications } from './load/notifications.ts';
import { runChaos } from './run.ts';
import { withServices } from './services.ts';

const HELP = `npm run chaos -- [options]
  --driver fleet|embedded|both|none  what to run on (default both)
  --minutes N          how long load and faults go on (default 5)
  --faults N           go on until there were as many, if necessary for longer (default 0); ends with a
                       violation if this machine cannot do them
  --seed N             of load and faults (default: drawn, and printed)
  --kinds A,B          only these kinds of faults (default all: ${Object.keys(FAULT_KINDS).length})
  --gap-ms N           mean pause between two faults (default 3500)
  --jobs-per-second N  (default 18)
  --slack N            factor on the stated recovery times, for slow machines (default 1)
  --mutations A,B      afterwards: remove each of these safeguards from a copy, and check that the auditor
                       finds the violations (${Object.keys(MUTATIONS).join(', ')}, or all)
  --notifications N    afterwards: N events of jobs are notified in the app, by e-mail, push and webhook while
                       notifiers, API and broker are killed; on the drivers of --notify-on (default both)
  --report FILE        everything as JSON
Exit code 1 after any violation.
`;

const OPTIONS = {
  driver: { type: 'string', default: 'both' },
  minutes: { type: 'string', default: '5' },
  faults: { type: 'string', default: '0' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  kinds: { type: 'string' },
  'gap-ms': { type: 'string', default: '3500' },
  'jobs-per-second': { type: 'string', default: '18' },
  slack: { type: 'string', default: '1' },
  mutations: { type: 'string' },
  notifications: { type: 'string', default: '0' },
  'notify-on': { type: 'string', default: 'both' },
  report: { type: 'string' },
  help: { type: 'boolean' },
} as const;

const NUMBERS = ['minutes', 'faults', 'seed', 'gap-ms', 'jobs-per-second', 'slack', 'notifications'] as const;

type Values = ReturnType<typeof parseArguments<{ options: typeof OPTIONS }>>['values'];

/** What `--report` holds. */
export interface ReportFile {
  runs: Report[];
  proofs: Proof[];
  notifications: NotificationReport[];
}

async function main(): Promise<number> {
  const { values } = parseArguments({ args: process.argv.slice(2), options: OPTIONS }, 'npm run chaos');
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  for (const name of NUMBERS) {
    if (!(Number(values[name]) >= 0))
      throw new UsageError(`--${name} takes a number from 0, not ${values[name]}`);
  }
  const kinds = listOf('kinds', values.kinds, Object.keys(FAULT_KINDS) as FaultKind[]);
  for (const driver of driversOf('driver', values.driver)) {
    if (kindsOn(driver, kinds).length === 0)
      throw new UsageError(`--kinds ${values.kinds}: none of these can happen on ${driver}`);
  }
  const mutations =
    values.mutations === 'all'
      ? (Object.keys(MUTATIONS) as MutationName[])
      : listOf('mutations', values.mutations, Object.keys(MUTATIONS) as MutationName[]);
  const result: ReportFile = { runs: [], proofs: [], notifications: [] };
  try {
    await runAll(values, mutations ?? [], kinds, result);
  } finally {
    // After an error, what was found before it.
    if (values.report) await writeFile(values.report, `${JSON.stringify(result, null, 2)}\n`);
  }
  const held = [...result.runs, ...result.notifications].every(({ violations }) => violations.length === 0);
  return held && result.proofs.every(({ proven }) => proven) ? 0 : 1;
}

/** Adds each report as soon as it is there. */
async function runAll(
  values: Values,
  mutations: MutationName[],
  kinds: FaultKind[] | undefined,
  result: ReportFile,
): Promise<void> {
  for (const driver of driversOf('driver', values.driver)) {
    say(`${driver}: seed ${values.seed}, ${values.minutes} minutes`);
    const report = await withServices(driver, async (start) => {
      const shape = { apis: 2, workers: 3, browserWorkers: 1, slots: 4, leaseMs: 3000 };
      return runChaos(await start(shape), {
        seed: Number(values.seed),
        minutes: Number(values.minutes),
        atLeastFaults: Number(values.faults),
        jobsPerSecond: Number(values['jobs-per-second']),
        gapMs: Number(values['gap-ms']),
        slack: Number(values.slack),
        ...(kinds ? { kinds } : {}),
        say,
      });
    });
    result.runs.push(report);
    process.stdout.write(formatReport(report));
  }
  for (const mutation of mutations) {
    const proof = await proveMutation(mutation, say);
    result.proofs.push(proof);
    process.stdout.write(formatProof(proof));
  }
  const events = Number(values.notifications);
  for (const driver of events > 0 ? driversOf('notify-on', values['notify-on']) : []) {
    say(`${driver}: ${events} events to notify`);
    const [seed, jobsPerSecond] = [Number(values.seed), Number(values['jobs-per-second'])];
    const report = await runNotifications({ driver, seed, events, jobsPerSecond, say });
    result.notifications.push(report);
    process.stdout.write(formatNotifications(report));
  }
}

function driversOf(option: string, name: string): Driver[] {
  if (name === 'none') return [];
  if (name === 'both') return ['fleet', 'embedded'];
  return listOf(option, name, ['fleet', 'embedded'] as const) ?? [];
}

function listOf<T extends string>(
  option: string,
  value: string | undefined,
  known: readonly T[],
): T[] | undefined {
  const names = value?.split(',');
  const unknown = names?.find((name) => !known.includes(name as T));
  if (unknown !== undefined) throw new UsageError(`--${option} takes ${known.join(', ')}; not ${unknown}`);
  return names as T[] | undefined;
}

const formatProof = ({ mutation, original, mutated, proven }: Proof): string =>
  `${mutation}: ${proven ? 'proven' : 'NOT PROVEN'}; original ${original.join(', ') || 'no violation'}, mutated ${mutated.join(', ') || 'no violation'}\n`;

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

surviveLostOutput();
// The parent process is gone; what this process started ends with it.
process.on('disconnect', () => process.exit(1));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  process.exit(await main());
} catch (error) {
  console.error(error instanceof UsageError ? `chaos: ${error.message}` : error);
  process.exit(1);
}
