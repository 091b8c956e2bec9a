import { type FoundKey, findKeys } from '../../db/accounts/users.ts';
import type { Sql } from '../../db/connect.ts';

export interface KeyLookup {
  /** Concurrent requests with the same key share one query. */
  now(hash: string): Promise<FoundKey | null>;
  /** With all others that wait, so that any number of wrong keys costs ten queries a second. */
  together(hash: string): Promise<FoundKey | null>;
}

/** Keys are looked up by the base64 of their hash. */
export function createKeyLookup(sql: Sql): KeyLookup {
  const pending = new Map<string, Promise<FoundKey | null>>();
  let batch: { hashes: Set<string>; answer: Promise<Map<string, FoundKey>> } | undefined;

  const look = async (hashes: Iterable<string>) =>
    findKeys(
      sql,
      [...hashes].map((hash) => Buffer.from(hash, 'base64')),
    );
  const openBatch = () => {
    const hashes = new Set<string>();
    const answer = new Promise<void>((resolve) => setTimeout(resolve, BATCH_MS)).then(() => {
      batch = undefined;
      return look(hashes);
    });
    return { hashes, answer };
  };

  return {
    now: (hash) => {
      let answer = pending.get(hash);
      if (!answer) {
        answer = look([hash])
          .then((found) => found.get(hash) ?? null)
          .finally(() => pending.delete(hash));
        pending.set(hash, answer);
      }
      return answer;
    },
    together: async (hash) => {
      batch ??= openBatch();
      batch.hashes.add(hash);
      return (await batch.answer).get(hash) ?? null;
    },
  };
}

const BATCH_MS = 100;
