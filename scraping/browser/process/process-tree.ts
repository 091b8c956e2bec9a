import { readdirSync, readFileSync } from 'node:fs';

/** A process of a browser, from Linux's `/proc`. */
export interface BrowserProcess {
  pid: number;
  kind: 'browser' | 'renderer' | 'other';
  /**
   * Memory of its own: heaps, canvases, and what it shares with the browser's other processes. The
   * program itself is left out, because all of them share it with each other.
   */
  bytes: number;
}

/**
 * Reads the processes of a Chromium, which is one process group; empty where there is no `/proc`.
 * Takes under a millisecond: only new processes of the machine are looked at, beside the browser's
 * own dozen.
 */
export function createProcessReader(group: number): () => BrowserProcess[] {
  /** By pid; null: another program's. */
  let known = new Map<number, BrowserProcess['kind'] | null>();
  return () => {
    const found: BrowserProcess[] = [];
    const seen: typeof known = new Map();
    for (const pid of processIds()) {
      try {
        const before = known.get(pid);
        const kind = before === undefined ? kindOf(pid, group) : before;
        seen.set(pid, kind);
        if (kind !== null)
          found.push({ pid, kind, bytes: ownBytes(readFileSync(`/proc/${pid}/status`, 'latin1')) });
      } catch {
        // It exited meanwhile.
        seen.delete(pid);
      }
    }
    known = seen;
    return found;
  };
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function kindOf(pid: number, group: number): BrowserProcess['kind'] | null {
  if (pid === group) return 'browser';
  // `pid (name) state parent group …`; the name may hold anything.
  const [, , itsGroup] = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  if (Number(itsGroup) !== group) return null;
  const isRenderer = readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--type=renderer');
  return isRenderer ? 'renderer' : 'other';
}

const KILOBYTES = /^Rss(?:Anon|Shmem):\s*(\d+) kB$/gm;

/** @param status text of `/proc/<pid>/status` */
export function ownBytes(status: string): number {
  let kilobytes = 0;
  for (const [, amount] of status.matchAll(KILOBYTES)) kilobytes += Number(amount);
  return kilobytes * 1024;
}
