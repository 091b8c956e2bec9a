import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { GUARDS, type GuardName, proveGuard } from './guards.ts';
import type { Driver } from './installation.ts';
import { FAULT_KINDS, type FaultKind } from './plan.ts';
import { formatReport, type Report } from './report.ts';
import { runChaos } from './run.ts';
import { withServices } from './services.ts';

const HELP = `npm run chaos -- [options]
  --driver fleet|embedded|both  what to run on (default both)
  --minutes N        how long load and faults go on (default 5)
  --seed N           the schedule of load and faults (default: the time)
  --kinds A,B        only these kinds of faults (default all: ${Object.keys(FAULT_KINDS).length})
  --gap-ms N         mean time between two faults (default 6500)
  --jobs-per-second N  (default 18)
  --slack N          stated recovery times may be exceeded by this factor, for slow machines (default 1)
  --report FILE      the whole report as JSON
  --guard NAME       instead: take this guard out of a copy and see whether the auditor notices (${Object.keys(GUARDS).join(', ')}, all)
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      driver: { type: 'string', default: 'both' },
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string' },
      'gap-ms': { type: 'string', default: '6500' },
      'jobs-per-second': { type: 'string', default: '18' },
      slack: { type: 'string', default: '1' },
      kinds: { type: 'string' },
      report: { type: 'string' },
      guard: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.guard) return proveGuards(values.guard, values.report);

  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const drivers: Driver[] = values.driver === 'both' ? ['fleet', 'embedded'] : [values.driver as Driver];
  const reports: Report[] = [];
  for (const driver of drivers) {
    say(`${driver}: seed ${seed}, ${values.minutes} minutes`);
    const report = await withServices(driver, (start) =>
      start({ apis: 2, workers: 3, browserWorkers: 1, slots: 4, leaseMs: 3000 }).then((installation) =>
        runChaos(installation, {
          seed,
          minutes: Number(values.minutes),
          jobsPerSecond: Number(values['jobs-per-second']),
          meanGapMs: Number(values['gap-ms']),
          slack: Number(values.slack),
          ...(values.kinds ? { kinds: values.kinds.split(',') as FaultKind[] } : {}),
          say,
        }),
      ),
    );
    reports.push(report);
    process.stdout.write(formatReport(report));
  }
  if (values.report) await writeFile(values.report, `${JSON.stringify(reports, null, 2)}\n`);
  return reports.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

async function proveGuards(name: string, file: string | undefined): Promise<number> {
  const names = name === 'all' ? (Object.keys(GUARDS) as GuardName[]) : [name as GuardName];
  const proofs = [];
  for (const guard of names) {
    const proof = await proveGuard(guard, say);
    proofs.push(proof);
    process.stdout.write(
      `${guard}: with it ${proof.withGuard.join(', ') || 'no violation'}; without it ${proof.without.join(', ') || 'no violation'}; ${proof.proven ? 'proven' : 'NOT PROVEN'}\n`,
    );
  }
  if (file) await writeFile(file, `${JSON.stringify(proofs, null, 2)}\n`);
  return proofs.every(({ proven }) => proven) ? 0 : 1;
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

// The one who started us is gone; what we started ends with us.
process.on('disconnect', () => process.exit(1));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  process.exit(await main());
} catch (error) {
  console.error(error);
  process.exit(1);
}
