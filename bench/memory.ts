import { readdirSync, readFileSync } from 'node:fs';

/** Resident memory in MB, as Linux counts pages: shared pages are counted in each process. */
export interface Memory {
  /** Of the process and all its descendants. */
  mb: number;
  /** Of the process alone. */
  ownMb: number;
}

function memoryOf(root: number): Memory {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // `pid (name) state parent …`; the name may contain anything. Then pages: size, resident,
        // shared.
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '');
        const [, resident] = readFileSync(`/proc/${name}/statm`, 'utf8').split(' ');
        return [{ pid: Number(name), parent: Number(stat.split(' ')[1]), pages: Number(resident) }];
      } catch {
        // Ended meanwhile.
        return [];
      }
    });
  const family = new Set([root]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  const mbOf = (counts: ReadonlySet<number>) =>
    processes.filter(({ pid }) => counts.has(pid)).reduce((sum, { pages }) => sum + pages, 0) * PAGE_MB;
  return { mb: mbOf(family), ownMb: mbOf(new Set([root])) };
}

const PAGE_MB = 4096 / 2 ** 20;
const EVERY_MS = 250;

/** Samples a process tree until `stop`, which returns the samples, in order. */
export function watchMemory(root: number): { stop(): Memory[] } {
  const seen: Memory[] = [];
  const look = () => void seen.push(memoryOf(root));
  look();
  const timer = setInterval(look, EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return seen;
    },
  };
}
