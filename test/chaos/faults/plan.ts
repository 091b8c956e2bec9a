import type { Driver } from '../installation.ts';
import { createRandom } from './random.ts';

/** Every fault there is, and on which installations it can happen. */
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

/** One fault of the schedule. Everything random about it is drawn beforehand, so that a seed names the schedule. */
export interface PlannedFault {
  number: number;
  kind: FaultKind;
  /** How long after the one before it has healed; null: beside it, a moment after it began. */
  gapMs: number | null;
  /** Which of the processes in question, modulo their number. */
  target: number;
  /** For faults that last. */
  durationMs: number;
  /** Whether what was held back arrives in the end, or is gone. */
  loses: boolean;
}

/** Finding out that a queue lost its messages takes the product this long; the next fault would blur it. */
const PURGE_MS = 16_000;

/**
 * The schedule, without an end: shuffled decks of all kinds, one after the other, so that each kind comes before any comes twice too
 * often. Most faults have their time to themselves, which tells what each costs; a fifth comes on top of another.
 */
export function* planFaults(options: {
  seed: number;
  driver: Driver;
  /** Mean time of quiet between two faults. */
  gapMs: number;
  kinds?: FaultKind[];
}): Generator<PlannedFault> {
  const random = createRandom(options.seed, `faults-${options.driver}`);
  const kinds = (options.kinds ?? (Object.keys(FAULT_KINDS) as FaultKind[])).filter((kind) =>
    (FAULT_KINDS[kind] as readonly Driver[]).includes(options.driver),
  );
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
