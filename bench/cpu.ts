import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds of processor time, by process. */
export type CpuTimes = Record<string, number>;

/**
 * Processor time spent so far by each of these processes, including their descendants. Unlike a
 * rate it hardly depends on the load of the machine, so it shows what a job costs. Zeros if there
 * is no /proc.
 */
export function cpuTimes(roots: Record<string, number>): CpuTimes {
  const all = readProcesses();
  const sum = (pid: number): number =>
    (all.get(pid)?.ms ?? 0) +
    [...all]
      .filter(([, { parent }]) => pid > 1 && parent === pid)
      .reduce((total, [child]) => total + sum(child), 0);
  return Object.fromEntries(Object.entries(roots).map(([name, pid]) => [name, sum(pid)]));
}

/** Microseconds per job, each and in total: `worker 120 + postgres 230 = 350`. */
export function perJob(before: CpuTimes, after: CpuTimes, jobs: number): Record<string, number> {
  const each = Object.keys(after).map((name): [string, number] => [
    name,
    (((after[name] ?? 0) - (before[name] ?? 0)) * 1000) / jobs,
  ]);
  return Object.fromEntries([...each, ['total', each.reduce((total, [, value]) => total + value, 0)]]);
}

/**
 * The process of this name with this in its environment, such as `RABBITMQ_NODE_PORT=1234`: one
 * started for us, but not by us.
 */
export function findProcess(name: string, variable: string): number | undefined {
  return pids().find(
    (pid) =>
      read(`/proc/${pid}/comm`).trim() === name &&
      read(`/proc/${pid}/environ`).split('\0').includes(variable),
  );
}

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;

function readProcesses(): Map<number, { parent: number; ms: number }> {
  const found = new Map<number, { parent: number; ms: number }>();
  for (const pid of pids()) {
    // The name in the second field may contain anything, including spaces and brackets.
    const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
    // Own time, and that of ended children (a Postgres session, for example).
    const ticks = [11, 12, 13, 14].reduce((total, index) => total + Number(fields[index] ?? 0), 0);
    found.set(pid, { parent: Number(fields[1]), ms: ticks * TICK_MS });
  }
  return found;
}

function pids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Ended meanwhile.
    return '';
  }
}
