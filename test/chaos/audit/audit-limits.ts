import type { Snapshot, Transition } from './snapshot.ts';
import type { Violation } from './violation.ts';

/**
 * No job starts while as many of its user run as may. A dead worker's jobs count until their lease
 * ends, so nobody ever has more jobs running than their limit, not even for the length of a lease.
 */
export function auditLimits({ transitions }: Snapshot): Violation[] {
  const running = new Map<string, number>();
  // In the order of the recorder's numbers: each claim sees the ends before it.
  return transitions.flatMap((transition) => {
    const { user_id, job_id, running_limit: limit } = transition;
    const now = (running.get(user_id) ?? 0) + changeOf(transition);
    running.set(user_id, now);
    if (changeOf(transition) !== 1 || limit === null || now <= limit) return [];
    return [{ kind: 'over_limit', detail: `${user_id} has ${now} of ${limit} jobs running`, job: job_id }];
  });
}

/** When each limited user had as many jobs running as may. */
export function spansAtLimit(
  transitions: readonly Transition[],
): Map<string, [begin: number, end: number][]> {
  const running = new Map<string, number>();
  const since = new Map<string, number>();
  const spans = new Map<string, [begin: number, end: number][]>();
  for (const transition of transitions) {
    const { user_id, running_limit: limit, at } = transition;
    if (limit === null) continue;
    const now = (running.get(user_id) ?? 0) + changeOf(transition);
    running.set(user_id, now);
    const begun = since.get(user_id);
    if (now >= limit && begun === undefined) since.set(user_id, at);
    if (now >= limit || begun === undefined) continue;
    since.delete(user_id);
    const before = spans.get(user_id) ?? [];
    before.push([begun, at]);
    spans.set(user_id, before);
  }
  return spans;
}

function changeOf({ old_status, status }: Transition): number {
  if (status === 'running' && old_status !== 'running') return 1;
  return old_status === 'running' && status !== 'running' ? -1 : 0;
}
