import { LRUCache } from 'lru-cache';
import { markKeysUsed } from '../../db/accounts/key-changes.ts';
import type { Sql } from '../../db/connect.ts';
import type { Logger } from '../../runtime/log/logger.ts';

/** Records when keys were used, apart from the requests that use them. */
export interface KeyUse {
  /** Costs a look into a map. */
  record(keyId: string): void;
  /** Resolves when nothing is being written. */
  stop(): Promise<void>;
}

/** How exact `last_used_at` is. */
const MINUTE_MS = 60_000;
const WRITE_MS = 2000;

export function createKeyUse(sql: Sql, logger: Logger, writeMs = WRITE_MS): KeyUse {
  const recent = new LRUCache<string, true>({ max: 10_000, ttl: MINUTE_MS });
  let unwritten = new Set<string>();
  let writing: Promise<void> = Promise.resolve();

  const write = () => {
    if (unwritten.size === 0) return;
    const keyIds = [...unwritten];
    unwritten = new Set();
    // The next use after a minute is written again, so a failure loses a time and nothing else.
    writing = markKeysUsed(sql, keyIds).catch((error) => logger.debug('key_use_not_written', { error }));
  };
  const timer = setInterval(write, writeMs).unref();

  return {
    record: (keyId) => {
      if (recent.has(keyId)) return;
      recent.set(keyId, true);
      unwritten.add(keyId);
    },
    stop: async () => {
      clearInterval(timer);
      write();
      await writing;
    },
  };
}
