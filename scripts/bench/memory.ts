import { readdirSync, readFileSync } from 'node:fs';

/** Memory of a process and all its descendants in MB, as Linux counts resident pages: what they share is counted in each. */
export function treeMb(root: number): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // `pid (name) state parent …`; the name may hold anything. Then pages: size, resident, shared.
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '');
        const [, resident] = readFileSync(`/proc/${name}/statm`, 'utf8').split(' ');
        return [{ pid: Number(name), parent: Number(stat.split(' ')[1]), pages: Number(resident) }];
      } catch {
        // Gone meanwhile.
        return [];
      }
    });
  const family = new Set([root]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  const pages = processes.filter(({ pid }) => family.has(pid)).reduce((sum, each) => sum + each.pages, 0);
  return (pages * 4096) / 2 ** 20;
}

const EVERY_MS = 250;

/** Looks at a process tree until `stop`, which gives what was seen, in order. */
export function watchMemory(root: number): { stop(): { at: number; mb: number }[] } {
  const seen: { at: number; mb: number }[] = [];
  const look = () => void seen.push({ at: Date.now(), mb: treeMb(root) });
  look();
  const timer = setInterval(look, EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return seen;
    },
  };
}
