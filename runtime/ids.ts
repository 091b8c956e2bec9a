import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/**
 * Random bytes are fetched in bulk: a system call for 16 bytes costs more than the rest of an id.
 */
const pool = Buffer.alloc(4096);
let used = pool.length;
let milliseconds = 0;
let sequence = 0;

/**
 * Ids of jobs and clicks: UUID version 7 (RFC 9562), ordered by time within a process, so that new
 * rows are appended to an index. Within a millisecond a sequence number increments, as in `uuid`
 * without options.
 */
export function uuidv7(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + 16);
  used += 16;
  const now = Date.now();
  if (now > milliseconds) {
    milliseconds = now;
    sequence = random.readUInt32BE(6) >>> 1;
  } else {
    sequence = (sequence + 1) | 0;
    if (sequence === 0) milliseconds += 1;
  }
  return v7({ random, msecs: milliseconds, seq: sequence });
}
