import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planFaults } from '../chaos/faults/plan.ts';
import type { Driver } from '../chaos/installation.ts';
import type { ReportFile } from '../chaos/main.ts';

/**
 * The short run of test/chaos with a fixed seed: real processes, real Postgres and RabbitMQ, real kills. The long one is
 * `npm run chaos -- --minutes 30`; docs/internals/guarantees.md states what both verify.
 */

const SEED = 20_261;
const FAULTS = 4;
let output = '';
let found: ReportFile;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leadengine-chaos-report-'));
  const file = join(folder, 'report.json');
  const program = join(import.meta.dirname, '..', 'chaos', 'run.mjs');
  // Other tests run beside it, so recovery times mean little; lost, doubled and stuck jobs count.
  const options = [
    '--seed',
    `${SEED}`,
    '--minutes',
    '0.35',
    '--jobs-per-second',
    '10',
    '--faults',
    `${FAULTS}`,
    '--gap-ms',
    '900',
    '--slack',
    '6',
    '--mutations',
    'all',
  ];
  output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [program, ...options, '--report', file],
      { timeout: 580_000, killSignal: 'SIGTERM' },
      (_error, stdout, stderr) => resolve(`${stdout}\n${stderr.slice(-4000)}`),
    );
  });
  found = JSON.parse(await readFile(file, 'utf8').catch(() => '{"runs":[],"proofs":[]}')) as ReportFile;
  await rm(folder, { recursive: true, force: true });
}, 600_000);

test.each<Driver>(['fleet', 'embedded'])('under faults nothing is lost, doubled or stuck on %s', (driver) => {
  const run = found.runs.find((report) => report.driver === driver);
  if (!run) throw new Error(`there is no report:\n${output}`);
  // Violations first: a truncated log must still show them.
  const wrong = run.violations.map(({ kind, job, detail }) => `${kind} ${job ?? ''} ${detail}`);
  if (wrong.length > 0) throw new Error(`${wrong.join('\n')}\n${output}`);
  expect(run).toMatchObject({ lost: 0, doubled: 0, stuck: 0 });
  expect(run.jobs).toBeGreaterThan(50);
  expect(run.faults).toBeGreaterThanOrEqual(FAULTS);
});

test.each([
  'attempt_fence',
  'acknowledge_after_settle',
  'scheduler',
  'takeover',
  'takeover_from_the_silent_only',
])('the auditor finds the violations of the mutation "%s"', (mutation) => {
  const proof = found.proofs.find((one) => one.mutation === mutation);
  if (!proof?.proven) throw new Error(output);
  expect(proof.original).toEqual([]);
});

test('a seed determines the schedule of faults', () => {
  const first = (seed: number) => {
    const plan = planFaults({ seed, driver: 'fleet', gapMs: 1000 });
    return Array.from({ length: 50 }, () => plan.next().value);
  };
  expect(first(1)).toEqual(first(1));
  expect(first(1)).not.toEqual(first(2));
});
