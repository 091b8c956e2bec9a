import { Worker } from 'node:worker_threads';
import type { Logger } from '../log/logger.ts';

/** How often this process says that it is well. */
const BEAT_MS = 250;

/** What the watching thread gets. */
export interface WatchdogData {
  beats: SharedArrayBuffer;
  processKind: string;
}

/**
 * Watches the event loop from a thread of its own, because a loop that stands still cannot tell. A stall of seconds is logged; one
 * of a minute ends the process, whose work others have taken over by then and whose supervisor starts it anew.
 */
export function startWatchdog(processKind: string, logger: Logger): void {
  const beats = new SharedArrayBuffer(4);
  const counter = new Int32Array(beats);
  const data: WatchdogData = { beats, processKind };
  const thread = new Worker(new URL('./watchdog-thread.js', import.meta.url), {
    workerData: data,
    // Not this process's own flags: some of them are no flags of a thread.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
  });
  thread.unref();
  // A watchdog that dies is no reason for its process to.
  thread.on('error', (error) => logger.warn('watchdog_failed', { error }));
  setInterval(() => Atomics.add(counter, 0, 1), BEAT_MS).unref();
}
