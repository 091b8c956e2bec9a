import { readdirSync, readFileSync } from 'node:fs';

/** Whether this process runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  return statOf(pid)?.isZombie === false;
}

/** The descendants of this process, including those that lead a process group of their own. */
export function descendantsOf(pid: number): number[] {
  const parents = new Map(allPids().map((each) => [each, statOf(each)?.parent]));
  const below = (of: number): number[] =>
    [...parents].flatMap(([each, parent]) => (parent === of ? [each, ...below(each)] : []));
  return below(pid);
}

/** Of a process group. */
export const membersOf = (group: number): number[] => allPids().filter((pid) => statOf(pid)?.group === group);

/** The arguments of this process, separated by spaces. */
export const commandOf = (pid: number): string => read(pid, 'cmdline').replaceAll('\0', ' ').trim();

/** The environment this process was started with. */
export const environmentOf = (pid: number): string[] => read(pid, 'environ').split('\0').filter(Boolean);

const allPids = (): number[] => readdirSync('/proc').map(Number).filter(Boolean);

function statOf(pid: number): { isZombie: boolean; parent: number; group: number } | undefined {
  // `pid (name) state parent group …`; the name may contain anything.
  const [state, parent, group] = read(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  return state ? { isZombie: state === 'Z', parent: Number(parent), group: Number(group) } : undefined;
}

/** Empty if it is gone. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
