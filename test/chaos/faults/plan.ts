import type { Driver } from '../installation.ts';
import { createRandom } from './random.ts';

/** All faults, and the installations on which each can happen. */
export const FAULT_KINDS = {
  worker_killed: ['fleet', 'embedded'],
  worker_frozen: ['fleet', 'embedded'],
  worker_frozen_in_transaction: ['fleet', 'embedded'],
  worker_stopped: ['fleet', 'embedded'],
  worker_killed_after_claim: ['fleet', 'embedded'],
  worker_killed_after_store: ['fleet', 'embedded'],
  worker_killed_before_settle: ['fleet', 'embedded'],
  worker_killed_after_settle: ['fleet', 'embedded'],
  worker_killing_job: ['fleet', 'embedded'],
  chromium_killed: ['fleet', 'embedded'],
  api_killed: ['fleet', 'embedded'],
  api_stopped: ['fleet', 'embedded'],
  api_killed_before_publish: ['fleet', 'embedded'],
  api_killed_after_publish: ['fleet', 'embedded'],
  postgres_killed: ['fleet', 'embedded'],
  postgres_restarted: ['fleet', 'embedded'],
  postgres_disk_full: ['fleet', 'embedded'],
  backends_terminated: ['fleet', 'embedded'],
  connections_refused: ['fleet', 'embedded'],
  pool_exhausted: ['fleet', 'embedded'],
  queue_purged: ['fleet', 'embedded'],
  api_postgres_cut: ['fleet', 'embedded'],
  api_postgres_stalled: ['fleet', 'embedded'],
  api_postgres_slow: ['fleet', 'embedded'],
  worker_postgres_cut: ['fleet', 'embedded'],
  worker_postgres_stalled: ['fleet', 'embedded'],
  worker_postgres_slow: ['fleet', 'embedded'],
  broker_killed: ['fleet'],
  broker_restarted: ['fleet'],
  queue_deleted: ['fleet'],
  api_broker_cut: ['fleet'],
  api_broker_stalled: ['fleet'],
  api_broker_slow: ['fleet'],
  worker_broker_cut: ['fleet'],
  worker_broker_stalled: ['fleet'],
  worker_broker_slow: ['fleet'],
} as const satisfies Record<string, readonly Driver[]>;

export type FaultKind = keyof typeof FAULT_KINDS;

/**
 * One fault of the schedule. All its random values are drawn beforehand, so that a seed determines
 * the schedule.
 */
export interface PlannedFault {
  number: number;
  kind: FaultKind;
  /**
   * Pause after the previous fault has healed; null: concurrent with it, a moment after it began.
   */
  gapMs: number | null;
  /** Index of the target process, modulo their number. */
  target: number;
  /** For faults with a duration. */
  durationMs: number;
  /** Whether what was held back is lost, or arrives in the end. */
  loses: boolean;
}

/**
 * The product takes this long to detect that a queue lost its messages; another fault in that time
 * would blur it.
 */
const PURGE_MS = 16_000;

/** Of these kinds (default all), those that can happen on this driver. */
export const kindsOn = (
  driver: Driver,
  kinds: FaultKind[] = Object.keys(FAULT_KINDS) as FaultKind[],
): FaultKind[] => kinds.filter((kind) => (FAULT_KINDS[kind] as readonly Driver[]).includes(driver));

/**
 * The endless schedule: shuffled decks of all kinds, one after another, so that the kinds stay
 * balanced. Most faults happen alone, which shows what each costs; a fifth overlap with another.
 */
export function* planFaults(options: {
  seed: number;
  driver: Driver;
  /** Mean pause between two faults. */
  gapMs: number;
  kinds?: FaultKind[];
}): Generator<PlannedFault> {
  const random = createRandom(options.seed, `faults-${options.driver}`);
  const kinds = kindsOn(options.driver, options.kinds);
  if (kinds.length === 0) throw new Error(`no kind of fault can happen on ${options.driver}`);
  let before: FaultKind | undefined;
  for (let number = 1; ; ) {
    for (const kind of random.shuffled(kinds)) {
      const quietMs = Math.round(options.gapMs * (0.6 + 0.8 * random.next()));
      const beside = random.chance(0.2);
      const detects = before === 'queue_purged' || before === 'queue_deleted';
      yield {
        ...{ number, kind },
        gapMs: beside ? null : quietMs + (detects ? Math.max(0, PURGE_MS - quietMs) : 0),
        target: random.int(0, 59),
        durationMs: random.int(500, 6000),
        loses: random.chance(0.5),
      };
      before = kind;
      number += 1;
    }
  }
}
