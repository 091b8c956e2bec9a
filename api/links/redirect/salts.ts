import type { Sql } from '../../../db/connect.ts';
import { dailySalts } from '../../../db/links/clicks.ts';
import { createLoop } from '../../../dispatch/loop.ts';
import type { Logger } from '../../../runtime/log/logger.ts';

/** The salts of today and tomorrow, shared by all processes; without one a click counts, and its visitor does not. */
export interface Salts {
  /** @param day YYYY-MM-DD, UTC */
  of(day: string): Buffer | undefined;
  /** Resolves when there are some, or when there is no database to keep them. */
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
      // Here, so that not even the first visitor goes uncounted; what fails is tried again by the loop, which tells of it.
      await refresh().catch(() => {});
      loop.start();
    },
    stop: loop.stop,
  };
}
