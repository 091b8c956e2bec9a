import { Worker } from 'node:worker_threads';
import type { Logger } from '../log/logger.ts';

/** Heartbeat interval of the event loop. */
const BEAT_MS = 250;

/** Data of the watchdog thread. */
export interface WatchdogData {
  beats: SharedArrayBuffer;
  processKind: string;
}

/**
 * Watches the event loop from another thread, because a stalled loop cannot report itself. A stall
 * of three seconds is logged; one of a minute kills the process. Others have taken over its work by
 * then, and its supervisor restarts it.
 */
export function startWatchdog(processKind: string, logger: Logger): void {
  const beats = new SharedArrayBuffer(4);
  const counter = new Int32Array(beats);
  const data: WatchdogData = { beats, processKind };
  const thread = new Worker(new URL('./watchdog-thread.js', import.meta.url), {
    workerData: data,
    // Not this process's flags: some are not valid for a thread.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
  });
  thread.unref();
  // A failed watchdog must not end its process.
  thread.on('error', (error) => logger.warn('watchdog_failed', { error }));
  setInterval(() => Atomics.add(counter, 0, 1), BEAT_MS).unref();
}
