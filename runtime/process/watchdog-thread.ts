import { write } from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { WatchdogData } from './watchdog.ts';

const LOOK_MS = 500;
/** In looks and not in time: a process that was frozen as a whole finds that hours passed, and did not stall. */
const LOOKS_TO_TELL = 6;
const LOOKS_TO_END = 120;

const { beats, processKind } = workerData as WatchdogData;
const counter = new Int32Array(beats);
let seen = Atomics.load(counter, 0);
let silentLooks = 0;

setInterval(() => {
  const now = Atomics.load(counter, 0);
  if (now !== seen) {
    if (silentLooks >= LOOKS_TO_TELL) tell('event_loop_recovered');
    silentLooks = 0;
    seen = now;
    return;
  }
  silentLooks += 1;
  if (silentLooks === LOOKS_TO_TELL) tell('event_loop_stalled');
  if (silentLooks === LOOKS_TO_END) tell('event_loop_dead');
  // A look later, so that the line above is out.
  if (silentLooks > LOOKS_TO_END) process.kill(process.pid, 'SIGKILL');
}, LOOK_MS);

/** Past the logger, which lives in the loop that stands still; and without waiting for a reader, who may be the cause. */
function tell(message: string): void {
  const stalled_ms = silentLooks * LOOK_MS;
  const line = { level: 'error', message, process_kind: processKind, pid: process.pid, stalled_ms };
  write(2, `${JSON.stringify({ ...line, timestamp: new Date().toISOString() })}\n`, () => {});
}
