import { join } from 'node:path';
import { waitFor } from '../support/wait-for.ts';
import { audit, historyOf } from './audit/audit.ts';
import { type Report, reportOf } from './audit/report.ts';
import { countQueued, readSnapshot } from './audit/snapshot.ts';
import type { Violation } from './audit/violation.ts';
import type { FaultContext } from './faults/faults.ts';
import { type FaultKind, planFaults } from './faults/plan.ts';
import { countDone, type FaultRecord, runSchedule } from './faults/schedule.ts';
import { type Installation, waitUntilReady } from './installation.ts';
import { createClient } from './load/client.ts';
import { createJournal } from './load/journal.ts';
import { startLoad, unfinished } from './load/load.ts';
import { addUsers } from './load/users.ts';
import { asAdmin } from './postgres.ts';
import { auditRecoveries, measureRecoveries } from './recovery.ts';

export interface RunOptions {
  seed: number;
  minutes: number;
  /**
   * Minimum number of faults, beyond these minutes if necessary: a slow machine takes half a minute
   * to start a broker. Default 0.
   */
  atLeastFaults?: number;
  jobsPerSecond: number;
  /** Mean pause between two faults. */
  gapMs: number;
  /** Only these; default all. */
  kinds?: FaultKind[];
  /** Factor by which a slow machine may exceed the stated recovery times. */
  slack: number;
  say(line: string): void;
  /**
   * How long the installation may take to become idle once the last fault has healed; default 90 s.
   */
  quietMs?: number;
  /** Instead of the seeded schedule: the scenario of a mutation proof. */
  scenario?: (context: FaultContext) => Promise<FaultRecord[]>;
}

/** Load and faults together, then quiet, then the audit. */
export async function runChaos(installation: Installation, options: RunOptions): Promise<Report> {
  const { seed, minutes, atLeastFaults: atLeast = 0, say, quietMs = 90_000 } = options;
  const journal = createJournal(join(installation.folder, 'journal.jsonl'));
  const expired = new AbortController();
  const otherKeys = await addUsers(installation.adminUrl);
  const client = createClient(installation, journal, expired.signal, otherKeys);
  const load = startLoad({ installation, client, seed, jobsPerSecond: options.jobsPerSecond });
  const context = { installation, load };
  const plan = planFaults({
    seed,
    driver: installation.driver,
    gapMs: options.gapMs,
    ...(options.kinds ? { kinds: options.kinds } : {}),
  });
  const begun = Date.now();
  const report = (fault: FaultRecord) => {
    const at = ((fault.at - begun) / 1000).toFixed(1).padStart(7);
    const lasted = `${((fault.healedAt - fault.at) / 1000).toFixed(1)} s`;
    const who = fault.hit.map(({ name }) => name).join(', ');
    say(
      `${at} s  ${fault.number} ${fault.kind} ${who} ${fault.skipped ? `- not done: ${fault.skipped}` : lasted}`,
    );
  };
  const faults = options.scenario
    ? await options.scenario(context)
    : await runSchedule(plan, { totalMs: minutes * 60_000, atLeast }, context, report);
  say(`load and faults are over: ${load.posted()} jobs, ${faults.length} faults`);

  const late = setTimeout(() => expired.abort(), quietMs);
  await load.stop();
  clearTimeout(late);
  await waitUntilIdle(installation, quietMs, say);
  const snapshot = await readSnapshot(installation, journal.file, faults);
  const recoveries = measureRecoveries(snapshot);
  const violations = [
    ...audit(snapshot, options.slack),
    ...auditRecoveries(recoveries, options.slack),
    ...auditFaults(faults, atLeast),
  ];
  // Also the histories of the worst recoveries, violations or not.
  const slow = recoveries.map(({ worstOfAll }) => worstOfAll?.job);
  const suspects = [...new Set([...violations.map(({ job }) => job).slice(0, 5), ...slow])].flatMap(
    (job) => job ?? [],
  );
  const histories = Object.fromEntries(suspects.map((id) => [id, historyOf(snapshot, id)]));
  const run = { seed, minutes, skewed: installation.skewed };
  return reportOf(run, snapshot, { violations, recoveries, histories });
}

/** A run without the faults it was started for proves nothing. */
function auditFaults(faults: FaultRecord[], atLeast: number): Violation[] {
  const done = countDone(faults);
  if (done >= atLeast) return [];
  const reasons = [...new Set(faults.flatMap(({ skipped }) => skipped ?? []))].join('; ');
  return [{ kind: 'too_few_faults', detail: `${done} of ${atLeast}: ${reasons}` }];
}

/**
 * Waits until no job is unfinished, no message is left and all events are published, or a timeout.
 */
async function waitUntilIdle(
  installation: Installation,
  quietMs: number,
  say: (line: string) => void,
): Promise<void> {
  const { adminUrl } = installation;
  await waitUntilReady([...installation.apis, ...installation.workers]);
  const rest = async (what: string, done: () => Promise<boolean>, timeoutMs: number) => {
    const rested = await waitFor(done, { timeoutMs, everyMs: 250 }).catch(() => false);
    if (!rested) say(`no rest: ${what}`);
  };
  await rest('jobs are unfinished', async () => (await unfinished(adminUrl)) === 0, quietMs);
  await rest('messages are left', async () => (await countQueued(installation)) === 0, quietMs / 3);
  await rest('events are unpublished', async () => (await unpublished(adminUrl)) === 0, quietMs / 3);
}

export const unpublished = (adminUrl: string): Promise<number> =>
  asAdmin(adminUrl, async (admin) => {
    const { rows } = await admin.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM events e, event_cursors c WHERE c.reader = 'relay' AND (e.xid, e.seq) > (c.xid, c.seq)`,
    );
    return rows[0]?.count ?? 0;
  });
