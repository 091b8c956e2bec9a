import { type InFlight, LEAST_COST_MS, type WaitingUser } from '../db/jobs/turns.ts';

export interface Turns {
  /** Ids of users, one per job to be dispatched, in this order. */
  order: string[];
  /**
   * Where the users who may go on are: what the one served least has used, per weight, without what
   * waits on the queue. A user who begins to wait starts here. Null if none may go on.
   */
  clockMs: number | null;
  /** Users who wait only because as many of their jobs run, or are about to, as may. */
  atLimit: WaitingUser[];
}

/**
 * Whose jobs are dispatched next: weighted fair queueing over the time that jobs have slots. The
 * next turn is that of the user for whom ended runs, running jobs so far, and jobs on the queue took
 * least per weight. What a job will take is not known, so on the queue it counts as `LEAST_COST_MS`,
 * and when it runs as what it took so far.
 *
 * @param users `jobs`: how many of theirs wait at most, if that is known
 * @param room how many jobs there may be
 */
export function chooseTurns(
  users: readonly (WaitingUser & { jobs?: number })[],
  inFlight: ReadonlyMap<string, InFlight>,
  room: number,
): Turns {
  const atLimit: WaitingUser[] = [];
  const next: Candidate[] = [];
  let clockMs: number | null = null;
  for (const user of users) {
    const { dispatched = 0, running = 0, runningMs = 0 } = inFlight.get(user.userId) ?? {};
    const left = Math.min(user.jobs ?? Infinity, (user.limit ?? Infinity) - dispatched - running);
    if (left <= 0) {
      atLimit.push(user);
      continue;
    }
    const startedMs = user.virtualMs + runningMs / user.weight;
    clockMs = Math.min(clockMs ?? startedMs, startedMs);
    const costMs = LEAST_COST_MS / user.weight;
    const key = startedMs + dispatched * costMs;
    push(next, { userId: user.userId, key, costMs, share: (dispatched + running) / user.weight, left });
  }
  const order: string[] = [];
  while (order.length < room) {
    const first = pop(next);
    if (!first) break;
    order.push(first.userId);
    first.left -= 1;
    first.key += first.costMs;
    if (first.left > 0) push(next, first);
  }
  return { order, clockMs, atLimit };
}

interface Candidate {
  userId: string;
  /** When the user's next turn comes. */
  key: number;
  costMs: number;
  /** Of two with the same key, the one with less in flight is first. */
  share: number;
  /** How many more turns the user may have. */
  left: number;
}

const isBefore = (a: Candidate, b: Candidate): boolean =>
  a.key < b.key || (a.key === b.key && a.share < b.share);

/** A binary heap: sorting the users again for each job would take seconds with 10,000 of them. */
function push(heap: Candidate[], candidate: Candidate): void {
  let at = heap.length;
  heap.push(candidate);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (!parent || !isBefore(candidate, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = candidate;
}

function pop(heap: Candidate[]): Candidate | undefined {
  const first = heap[0];
  const moved = heap.pop();
  if (!moved || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const isRight = left && right && isBefore(right, left);
    const smaller = isRight ? right : left;
    if (!smaller || !isBefore(smaller, moved)) break;
    heap[at] = smaller;
    at = 2 * at + (isRight ? 2 : 1);
  }
  heap[at] = moved;
  return first;
}

/**
 * Puts jobs into the order of turns; a user may have fewer jobs than turns.
 *
 * @param jobs each user's in the order in which they are to start
 */
export function inOrder<Job extends { userId: string }>(
  order: readonly string[],
  jobs: readonly Job[],
): Job[] {
  const byUser = new Map<string, Job[]>();
  for (const job of jobs) {
    const others = byUser.get(job.userId);
    if (others) others.push(job);
    else byUser.set(job.userId, [job]);
  }
  const used = new Map<string, number>();
  return order.flatMap((userId) => {
    const at = used.get(userId) ?? 0;
    used.set(userId, at + 1);
    return byUser.get(userId)?.[at] ?? [];
  });
}
