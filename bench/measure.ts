/**
 * Milliseconds of the machine's monotonic clock, the same in every process: times of two processes
 * can be compared.
 */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

export function median(values: number[]): number {
  return percentile(values, 0.5);
}

/** Nearest rank. */
export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN;
}

/**
 * Measures several things in rotation, A B C A B C …, so that other load on the machine affects all
 * of them alike. Returns each one's results in the order of the rounds.
 */
export async function interleave<Name extends string, Result>(
  rounds: number,
  measurements: Record<Name, () => Promise<Result>>,
): Promise<Record<Name, Result[]>> {
  const names = Object.keys(measurements) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Result[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) results[name].push(await measurements[name]());
  }
  return results;
}

/** The state that is polled while jobs are drained. */
export interface Meter {
  hit(): void;
  done: Promise<{ perSecond: number; hits: number }>;
}

/** Deadline for a slow system: what it did until then counts. */
const LONGEST_DRAIN_MS = 6000;
const LONGEST_WARM_UP_MS = 2000;

/**
 * Jobs per second between the first tenth and the last twentieth of `count`: neither the first
 * polls nor the last stragglers count. `peers/serve.mjs` has the same.
 */
export function createMeter(count: number): Meter {
  const from = Math.ceil(count * 0.1);
  const to = Math.floor(count * 0.95);
  let hits = 0;
  let begin: { at: number; hits: number } | undefined;
  let finish: (result: { perSecond: number; hits: number }) => void = () => {};
  const done = new Promise<{ perSecond: number; hits: number }>((resolve) => {
    finish = resolve;
  });
  const startCounting = () => {
    if (begin) return;
    begin = { at: now(), hits };
    setTimeout(stopCounting, LONGEST_DRAIN_MS);
  };
  const stopCounting = () => {
    if (begin) finish({ perSecond: ((hits - begin.hits) * 1000) / (now() - begin.at), hits });
  };
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
