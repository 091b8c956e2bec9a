import type { Logger } from '../../runtime/log/logger.ts';
import type { Database } from '../connect.ts';
import { addRefusals } from './blocked-requests.ts';

/** Adds up in the database what the egress guards of this process refuse, for `/metrics`. */
export interface RefusalCounter {
  count(reason: string): void;
  start(): void;
  /** Writes down what is left. Never rejects: a number less must not keep a process from ending. */
  stop(): Promise<void>;
}

/** A kill loses so much of the count, and of nothing else: each refusal stands in the log. */
const WRITE_MS = 5000;

export function createRefusalCounter(database: Database, logger: Logger): RefusalCounter {
  let unwritten = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const add = (reason: string, refusals: number) =>
    unwritten.set(reason, (unwritten.get(reason) ?? 0) + refusals);
  const write = async () => {
    if (unwritten.size === 0) return;
    const counts = unwritten;
    unwritten = new Map();
    try {
      await addRefusals(database, counts);
    } catch (error) {
      for (const [reason, refusals] of counts) add(reason, refusals);
      logger.debug('refusals_not_counted', { error });
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
