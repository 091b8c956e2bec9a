import { createHash } from 'node:crypto';
import type { JobSpec } from '../../core/jobs/job.ts';
import { idempotencyKey } from '../../core/jobs/job-schemas.ts';
import { startTimeSlice } from '../../runtime/time-slice.ts';
import { conflict, invalidRequest } from './problem.ts';
import type { ApiRequest } from './route.ts';

/** The `Idempotency-Key` header. @throws Problem 422 if it is invalid */
export function idempotencyKeyOf(request: ApiRequest): string | undefined {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return undefined;
  const key = idempotencyKey.safeParse(header);
  if (key.success) return key.data;
  const message = key.error.issues[0]?.message ?? 'expected a key';
  throw invalidRequest([{ path: 'Idempotency-Key', message }]);
}

export const idempotencyConflict = () =>
  conflict('idempotency_conflict', 'this Idempotency-Key was used with another body');

/** Independent of the order of fields. */
export const hashBody = (body: unknown): string => createHash('sha256').update(canonical(body)).digest('hex');

/** The same as `hashBody({jobs: specs})`, in chunks. */
export async function hashBatch(specs: JobSpec[]): Promise<string> {
  const hash = createHash('sha256').update('{"jobs":[');
  const slice = startTimeSlice();
  for (const [index, spec] of specs.entries()) {
    hash.update(index === 0 ? '' : ',').update(canonical(spec));
    if (slice.isOver) await slice.next();
  }
  return hash.update(']}').digest('hex');
}

const canonical = (body: unknown): string => JSON.stringify(body, (_key, value: unknown) => sorted(value));

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
