import type { FaultRecord } from '../faults/schedule.ts';
import type { Recovery } from '../recovery.ts';
import type { Snapshot } from './snapshot.ts';
import type { Violation } from './violation.ts';

/** The result of a run, for people and programs. */
export interface Report {
  driver: string;
  seed: number;
  minutes: number;
  jobs: number;
  jobsByState: Record<string, number>;
  batches: number;
  /** Calls of clients, and how many of them saw no answer and were repeated. */
  calls: number;
  unanswered: number;
  answers: Record<string, number>;
  runs: number;
  outcomes: Record<string, number>;
  /** Faults that took effect. */
  faults: number;
  faultsByKind: Record<string, number>;
  skipped: Record<string, number>;
  skewed: { name: string; shiftMs: number }[];
  lost: number;
  doubled: number;
  stuck: number;
  recoveries: Recovery[];
  violations: Violation[];
  histories: Record<string, string[]>;
}

export function reportOf(
  run: { seed: number; minutes: number; skewed: Report['skewed'] },
  snapshot: Snapshot,
  findings: { violations: Violation[]; recoveries: Recovery[]; histories: Record<string, string[]> },
): Report {
  const of = (kind: string) => findings.violations.filter((violation) => violation.kind === kind).length;
  const done = snapshot.faults.filter(({ skipped }) => !skipped);
  return {
    driver: snapshot.driver,
    ...run,
    jobs: snapshot.jobs.length,
    jobsByState: countBy(snapshot.jobs, ({ status }) => status),
    batches: snapshot.journal.filter(({ op, status }) => op === 'batch' && status === 202).length,
    calls: snapshot.journal.length,
    unanswered: snapshot.journal.filter(({ status }) => status === 0).length,
    answers: countBy(snapshot.journal, ({ op, status }) => `${op} ${status}`),
    runs: snapshot.attempts.length,
    outcomes: countBy(snapshot.attempts, ({ outcome }) => outcome),
    faults: done.length,
    faultsByKind: countBy(done, ({ kind }) => kind),
    skipped: countBy(
      snapshot.faults.filter(({ skipped }) => skipped),
      ({ kind, skipped }: FaultRecord) => `${kind}: ${skipped}`,
    ),
    lost: of('lost'),
    doubled: of('doubled') + of('page_twice'),
    stuck: of('stuck'),
    ...findings,
  };
}

function countBy<T>(items: T[], nameOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[nameOf(item)] = (counts[nameOf(item)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => a.localeCompare(b)));
}

export function formatReport(report: Report): string {
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const lines = [
    '',
    `${report.driver}, seed ${report.seed}, ${report.minutes} minutes`,
    `  jobs        ${report.jobs} (${list(report.jobsByState)}); ${report.batches} batches`,
    `  runs        ${report.runs} (${list(report.outcomes)})`,
    `  calls       ${report.calls}, ${report.unanswered} of them repeated for want of an answer (${list(report.answers)})`,
    `  faults      ${report.faults} (${list(report.faultsByKind)})`,
    `  clocks      ${report.skewed.map(({ name, shiftMs }) => `${name} ${shiftMs / 1000} s`).join(', ')}`,
    ...(Object.keys(report.skipped).length > 0 ? [`  not done    ${list(report.skipped)}`] : []),
    '',
    `  ${'recovery'.padEnd(66)}${['faults', 'alone', 'median', 'worst', 'stated', 'of all'].map((name) => name.padStart(9)).join('')}`,
    ...report.recoveries
      .filter(({ measured }) => measured > 0)
      .map(
        ({ what, measured, alone, medianMs, worstMs, limitMs, worstOfAllMs }) =>
          `  ${what.padEnd(66)}${[String(measured), String(alone), seconds(medianMs), seconds(worstMs), seconds(limitMs), seconds(worstOfAllMs)].map((cell) => cell.padStart(9)).join('')}`,
      ),
    '',
    `  lost ${report.lost}, doubled ${report.doubled}, stuck ${report.stuck}; violations in all ${report.violations.length}`,
    ...report.violations
      .slice(0, 30)
      .map(({ kind, job, detail }) => `  VIOLATION ${kind}${job ? ` of ${job}` : ''}: ${detail}`),
    ...Object.entries(report.histories).flatMap(([job, history]) => [
      `  history of ${job}`,
      ...history.map((line) => `    ${line}`),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

const seconds = (ms: number | undefined): string => (ms === undefined ? '-' : `${(ms / 1000).toFixed(2)} s`);
