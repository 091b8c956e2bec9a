import { type BrowserProcess, createProcessReader } from './process-tree.ts';

/** Which process of a browser must end, so that the browser stays below its limit. */
export interface Excess {
  process: BrowserProcess;
  totalBytes: number;
  /** Its memory alone is most of the limit: the page is at fault, and not the number of pages. */
  isAlone: boolean;
}

/**
 * Pure. Null if the browser is below its limit. The largest renderer ends with the pages in it; if
 * another process holds most of the memory (blobs are in the browser process), that one.
 */
export function findExcess(processes: readonly BrowserProcess[], limitBytes: number): Excess | null {
  const totalBytes = processes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (totalBytes <= limitBytes) return null;
  const bySize = [...processes].sort((a, b) => b.bytes - a.bytes);
  const [largest] = bySize;
  if (!largest) return null;
  const isAlone = (process: BrowserProcess) => process.bytes > limitBytes / 2;
  const renderer = bySize.find(({ kind }) => kind === 'renderer');
  const process = renderer && !(largest.kind !== 'renderer' && isAlone(largest)) ? renderer : largest;
  return { process, totalBytes, isAlone: isAlone(process) };
}

const CALM_MS = 200;
/** A page can fill a gigabyte per second. */
const TENSE_MS = 40;
/** The memory of a process that was ended is not counted again while it exits. */
const EXITING_MS = 1000;

/**
 * Measures a Chromium's processes a few times per second; does nothing where there is no `/proc`.
 *
 * @param group the process group of the browser
 * @returns stops it
 */
export function watchMemory(
  group: number,
  limitBytes: number,
  onExcess: (excess: Excess) => void,
): () => void {
  const read = createProcessReader(group);
  const exiting = new Map<number, number>();
  let timer: NodeJS.Timeout;
  const measure = () => {
    const now = performance.now();
    const running = read().filter(
      ({ pid }) => now - (exiting.get(pid) ?? Number.NEGATIVE_INFINITY) > EXITING_MS,
    );
    const excess = findExcess(running, limitBytes);
    if (excess) {
      exiting.set(excess.process.pid, now);
      onExcess(excess);
    }
    const total = running.reduce((sum, { bytes }) => sum + bytes, 0);
    timer = setTimeout(measure, total > limitBytes / 2 ? TENSE_MS : CALM_MS);
    timer.unref();
  };
  timer = setTimeout(measure, CALM_MS);
  timer.unref();
  return () => clearTimeout(timer);
}
