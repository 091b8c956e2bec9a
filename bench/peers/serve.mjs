// A peer's process: answers the bench's calls over IPC. Plain JavaScript in a package of its own, so that the product is
// built, typed and installed without any of the peers.

/** Milliseconds of the machine's monotonic clock, the same in every process. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** @param {Record<string, (args: any) => unknown>} calls by name */
export function serve(calls) {
  process.on('message', async ({ id, name, args }) => {
    try {
      process.send({ id, result: await calls[name](args) });
    } catch (error) {
      process.send({ id, error: error.stack ?? String(error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.on('SIGTERM', () => process.exit(0));
  process.send({ type: 'ready' });
}

/** Reports to the bench when a job starts. */
export const begun = (key) => process.send({ event: 'begun', key, at: now() });

const LONGEST_DRAIN_MS = 6000;
const LONGEST_WARM_UP_MS = 2000;

/**
 * Jobs per second between the first tenth and the last twentieth of `count`: neither the first
 * polls nor the last stragglers count. The same as in `measure.ts`.
 */
export function createMeter(count) {
  const from = Math.ceil(count * 0.1);
  const to = Math.floor(count * 0.95);
  let hits = 0;
  let begin;
  let finish;
  const done = new Promise((resolve) => {
    finish = resolve;
  });
  const startCounting = () => {
    if (begin) return;
    begin = { at: now(), hits };
    setTimeout(stopCounting, LONGEST_DRAIN_MS);
  };
  const stopCounting = () => finish({ perSecond: ((hits - begin.hits) * 1000) / (now() - begin.at), hits });
  return {
    done,
    hit: () => {
      hits += 1;
      if (hits === 1) setTimeout(startCounting, LONGEST_WARM_UP_MS);
      if (hits === from) startCounting();
      if (hits === to) stopCounting();
    },
  };
}

/** Single sends per second with this concurrency. */
export async function measureSends({ concurrency, ms }, send) {
  let sent = 0;
  const until = now() + ms;
  const begin = now();
  const worker = async () => {
    while (now() < until) {
      await send();
      sent += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { perSecond: (sent * 1000) / (now() - begin) };
}

/** `count` payloads in chunks. */
export function* chunks(count, size = 1000) {
  for (let at = 0; at < count; at += size) {
    yield Array.from({ length: Math.min(size, count - at) }, (_, index) => ({ n: at + index }));
  }
}
