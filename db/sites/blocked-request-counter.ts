import type { Logger } from '../../runtime/log/logger.ts';
import type { Database } from '../connect.ts';
import { addBlockedRequests } from './blocked-requests.ts';

/**
 * Counts in the database the requests that the egress guards of this process block, for `/metrics`.
 */
export interface BlockedRequestCounter {
  count(reason: string): void;
  start(): void;
  /**
   * Writes the remaining counts. Never rejects: a failed count must not keep a process from ending.
   */
  stop(): Promise<void>;
}

/** A kill loses the counts of this long and nothing else: each blocked request is in the log. */
const WRITE_MS = 5000;

export function createBlockedRequestCounter(database: Database, logger: Logger): BlockedRequestCounter {
  let unwritten = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const add = (reason: string, requests: number) =>
    unwritten.set(reason, (unwritten.get(reason) ?? 0) + requests);
  const write = async () => {
    if (unwritten.size === 0) return;
    const counts = unwritten;
    unwritten = new Map();
    try {
      await addBlockedRequests(database, counts);
    } catch (error) {
      for (const [reason, requests] of counts) add(reason, requests);
      logger.debug('blocked_requests_not_counted', { error });
    }
  };
  const writeNext = () => {
    writing = writing.then(write);
    return writing;
  };

  return {
    count: (reason) => add(reason, 1),
    start: () => {
      timer = setInterval(writeNext, WRITE_MS);
    },
    stop: () => {
      clearInterval(timer);
      return writeNext();
    },
  };
}
