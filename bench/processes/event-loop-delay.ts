import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * Loaded into a process of the product before its program (`--import`): answers a call of the bench
 * with the longest delay of its event loop since the call before, in ms.
 */
const delay = monitorEventLoopDelay({ resolution: 2 });
delay.enable();

process.on('message', ({ id, name }: { id?: number; name?: string }) => {
  if (name !== 'event_loop_delay') return;
  process.send?.({ id, result: delay.max / 1e6 });
  delay.reset();
});
