import type { Fence } from '../../core/jobs/job.ts';
import type { Database } from '../../db/connect.ts';
import { removeWorker, renewLeases, reportWorker } from '../../db/jobs/run.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { AttemptAborted } from './outcome.ts';

/** Also the delay until a worker notices a cancellation, and the unit of dead-worker detection. */
export const BEAT_MS = 400;

/** A running attempt. */
export interface WatchedRun {
  /** Fires when the job is no longer this worker's, or when the worker must release it. */
  signal: AbortSignal;
  abort(reason: AttemptAborted): void;
  end(): void;
}

/**
 * One statement per heartbeat for all runs of this process: renews their leases and finds which
 * were cancelled or taken over. A second one reports this worker's slots and claim rate to the
 * dispatcher.
 */
export interface Heartbeat {
  start(): void;
  watch(run: Fence): WatchedRun;
  /** Whether this process runs the attempt now. */
  holds(run: Fence): boolean;
  /** Aborts every run, which releases its job. */
  releaseAll(): void;
  stop(): Promise<void>;
}

export function createHeartbeat(options: {
  database: Database;
  logger: Logger;
  worker: { id: string; slots: number; leaseMs: number; sandbox: () => string | null };
}): Heartbeat {
  const { database, logger, worker } = options;
  const runs = new Map<string, { fence: Fence; controller: AbortController }>();
  let claimsSinceBeat = 0;
  let claimsPerSecond = 0;
  let beatAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> | undefined;
  let failing = false;

  const beat = async () => {
    measureClaims();
    try {
      await Promise.all([
        renew(),
        reportWorker(database, {
          ...{ id: worker.id, slots: worker.slots, claimsPerSecond },
          sandbox: worker.sandbox(),
        }),
      ]);
      if (failing) logger.info('heartbeat_recovered');
      failing = false;
    } catch (error) {
      // The runs continue: the fence decides whether they are still this worker's, not a failed
      // heartbeat.
      if (!failing) logger.warn('heartbeat_failed', { error });
      failing = true;
    }
  };

  async function renew(): Promise<void> {
    const held = [...runs.values()];
    if (held.length === 0) return;
    const still = await renewLeases(
      database,
      held.map(({ fence }) => fence),
      worker.leaseMs,
    );
    for (const { fence, controller } of held) {
      if (still.has(fence.id) || !runs.has(keyOf(fence))) continue;
      logger.info('run_lost', { job_id: fence.id, attempt: fence.attempt });
      controller.abort(new AttemptAborted('lease_lost'));
    }
  }

  function measureClaims(): void {
    const now = performance.now();
    const current = (claimsSinceBeat * 1000) / Math.max(now - beatAt, 1);
    // A moving average over about two seconds: one long job does not look like an idle worker.
    claimsPerSecond += (current - claimsPerSecond) * Math.min((now - beatAt) / 2000, 1);
    // After minutes of decay the value would underflow Postgres's `real`.
    if (claimsPerSecond < 1e-6) claimsPerSecond = 0;
    beatAt = now;
    claimsSinceBeat = 0;
  }

  return {
    start: () => {
      const next = () => {
        beating = beat().finally(() => {
          beating = undefined;
          if (timer) timer = setTimeout(next, Math.min(BEAT_MS, worker.leaseMs / 3));
        });
      };
      timer = setTimeout(next, 0);
    },
    watch: (fence) => {
      const controller = new AbortController();
      runs.set(keyOf(fence), { fence, controller });
      claimsSinceBeat += 1;
      return {
        signal: controller.signal,
        abort: (reason) => controller.abort(reason),
        end: () => void runs.delete(keyOf(fence)),
      };
    },
    holds: (fence) => runs.has(keyOf(fence)),
    releaseAll: () => {
      for (const { controller } of runs.values()) controller.abort(new AttemptAborted('shutdown'));
    },
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      await beating;
      // Shrinks the dispatch window at once; if it fails, the row expires after a few seconds.
      await removeWorker(database, worker.id).catch(() => {});
    },
  };
}

const keyOf = ({ id, attempt }: Fence): string => `${id}/${attempt}`;
