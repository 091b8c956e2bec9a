import { dailySalts } from '../../db/clicks.ts';
import type { Sql } from '../../db/connect.ts';
import { createLoop } from '../../dispatch/loop.ts';
import type { Logger } from '../../runtime/logger.ts';

/** The salts of today and tomorrow, shared by all processes; without one a click counts, and its visitor does not. */
export interface Salts {
  /** @param day YYYY-MM-DD, UTC */
  of(day: string): Buffer | undefined;
  start(): void;
  stop(): Promise<void>;
}

const REFRESH_MS = 10 * 60_000;

export function createSalts(sql: Sql, logger: Logger): Salts {
  let salts = new Map<string, Buffer>();
  const loop = createLoop({
    name: 'visitor salts',
    logger,
    step: async () => {
      salts = await dailySalts(sql);
      return REFRESH_MS;
    },
  });
  return { of: (day) => salts.get(day), start: loop.start, stop: loop.stop };
}
