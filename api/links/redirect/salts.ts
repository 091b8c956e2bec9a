import type { Sql } from '../../../db/connect.ts';
import { dailySalts } from '../../../db/links/clicks.ts';
import { createLoop } from '../../../dispatch/loop.ts';
import type { Logger } from '../../../runtime/log/logger.ts';

/**
 * The salts of today and tomorrow, shared by all processes. Without one a click counts, but not its
 * visitor.
 */
export interface Salts {
  /** @param day YYYY-MM-DD, UTC */
  of(day: string): Buffer | undefined;
  /** Resolves when they are loaded, or when the first load failed. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const REFRESH_MS = 10 * 60_000;

export function createSalts(sql: Sql, logger: Logger): Salts {
  let salts = new Map<string, Buffer>();
  const refresh = async () => {
    salts = await dailySalts(sql);
    return REFRESH_MS;
  };
  const loop = createLoop({ name: 'visitor salts', logger, step: refresh });
  return {
    of: (day) => salts.get(day),
    start: async () => {
      // Load before serving, so that the first visitor counts. The loop retries a failure and logs
      // it.
      await refresh().catch(() => {});
      loop.start();
    },
    stop: loop.stop,
  };
}
