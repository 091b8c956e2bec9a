import { write } from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { WatchdogData } from './watchdog.ts';

const POLL_MS = 500;
/** In polls and not in time: for a process that was suspended, hours may pass without a stall. */
const POLLS_TO_LOG = 6;
const POLLS_TO_KILL = 120;

const { beats, processKind } = workerData as WatchdogData;
const counter = new Int32Array(beats);
let seen = Atomics.load(counter, 0);
let silentPolls = 0;

setInterval(() => {
  const now = Atomics.load(counter, 0);
  if (now !== seen) {
    if (silentPolls >= POLLS_TO_LOG) log('event_loop_recovered');
    silentPolls = 0;
    seen = now;
    return;
  }
  silentPolls += 1;
  if (silentPolls === POLLS_TO_LOG) log('event_loop_stalled');
  if (silentPolls === POLLS_TO_KILL) log('event_loop_dead');
  // One poll later, so that the line above is written.
  if (silentPolls > POLLS_TO_KILL) process.kill(process.pid, 'SIGKILL');
}, POLL_MS);

/**
 * Bypasses the logger, which runs in the stalled loop; does not wait for a reader, which may be the
 * cause.
 */
function log(message: string): void {
  const stalled_ms = silentPolls * POLL_MS;
  const line = { level: 'error', message, process_kind: processKind, pid: process.pid, stalled_ms };
  write(2, `${JSON.stringify({ ...line, timestamp: new Date().toISOString() })}\n`, () => {});
}
