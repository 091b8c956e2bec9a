import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from '../installation.ts';
import type { Journal, JournalEntry } from './journal.ts';

/** A client of the HTTP API that repeats unanswered requests, as the docs require. */
export interface ChaosClient {
  /**
   * Posts jobs under an idempotency key until an answer is seen; returns the ids, or undefined if
   * `expired` fired first.
   * @param impatientMs timeout of the first request, so that the client does not see its answer
   */
  post(key: string, jobs: object[], impatientMs?: number): Promise<string[] | undefined>;
  /** Repeats the request until the change was made, or is no longer possible. */
  change(op: 'cancel' | 'retry', id: string): Promise<void>;
  get(id: string): Promise<string | undefined>;
}

/** Longer than any healthy answer; the other API process may answer. */
const PATIENCE_MS = 6000;
const PAUSE_MS = 150;

export function createClient(
  installation: Installation,
  journal: Journal,
  expired: AbortSignal,
  /** Of further users, who share the load with the one of `installation.apiKey`. */
  otherKeys: readonly string[] = [],
): ChaosClient {
  let turn = 0;
  const apiKeys = [installation.apiKey, ...otherKeys];
  /** Whose a job is. */
  const ownerOf = new Map<string, string>();

  /** A repeated POST is the same user's. What faults need at once is that of the user without a limit. */
  const posterOf = (key: string): string => {
    const isUrgent = /-(killer|slow)-/.test(key);
    const number = createHash('sha256').update(key).digest().readUInt32BE() % apiKeys.length;
    return (isUrgent ? undefined : apiKeys[number]) ?? installation.apiKey;
  };

  /** One call to one of the running API processes. */
  const call = async (
    entry: Pick<JournalEntry, 'op' | 'key' | 'jobs' | 'id'>,
    request: { method: string; path: string; body?: object | undefined },
    patienceMs: number,
  ): Promise<JournalEntry> => {
    const reachable = installation.apis.filter(({ url }) => url);
    turn += 1;
    const api = reachable[turn % Math.max(reachable.length, 1)];
    const apiKey = entry.key ? posterOf(entry.key) : (ownerOf.get(entry.id ?? '') ?? installation.apiKey);
    const at = Date.now();
    const written: JournalEntry = { at, ms: 0, api: api?.name ?? '-', status: 0, ...entry };
    if (!api) return written;
    try {
      const response = await fetch(`${api.url}${request.path}`, {
        method: request.method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(request.body ? { 'content-type': 'application/json' } : {}),
          ...(entry.key ? { 'idempotency-key': entry.key } : {}),
        },
        ...(request.body ? { body: JSON.stringify(request.body) } : {}),
        signal: AbortSignal.timeout(patienceMs),
      });
      const text = await response.text();
      written.status = response.status;
      Object.assign(written, factsOf(response.status, text));
    } catch {
      // No answer: the result of the request is unknown.
    }
    for (const id of written.ids ?? []) ownerOf.set(id, apiKey);
    written.ms = Date.now() - at;
    journal.write(written);
    return written;
  };

  return {
    post: async (key, jobs, impatientMs) => {
      const [only] = jobs;
      const request =
        jobs.length === 1
          ? { method: 'POST', path: '/jobs/scrape', body: only }
          : { method: 'POST', path: '/api/v1/jobs/batch', body: { jobs } };
      const op = jobs.length === 1 ? 'post' : 'batch';
      for (let patienceMs = impatientMs ?? PATIENCE_MS; !expired.aborted; patienceMs = PATIENCE_MS) {
        const { status, ids } = await call({ op, key, jobs: jobs.length }, request, patienceMs);
        if (status === 202) return ids;
        // A client error is permanent; the auditor reports it.
        if (status >= 400 && status < 500) return undefined;
        await delay(PAUSE_MS);
      }
      return undefined;
    },
    change: async (op, id) => {
      const request = { method: 'POST', path: `/api/v1/jobs/${id}/${op}` };
      while (!expired.aborted) {
        const { status } = await call({ op, id }, request, PATIENCE_MS);
        if (status >= 200 && status < 500) return;
        await delay(PAUSE_MS);
      }
    },
    get: async (id) => {
      const request = { method: 'GET', path: `/api/v1/jobs/${id}` };
      return (await call({ op: 'get', id }, request, PATIENCE_MS)).state;
    },
  };
}

function factsOf(status: number, text: string): Partial<JournalEntry> {
  try {
    const body = JSON.parse(text) as { job_id?: string; status?: string; jobs?: { job_id: string }[] };
    if (status === 202) {
      return { ids: body.jobs ? body.jobs.map(({ job_id }) => job_id) : [body.job_id ?? ''] };
    }
    if (status === 200) return { state: String(body.status) };
  } catch {
    return { problem: `not JSON: ${text.slice(0, 200)}` };
  }
  return status === 503 || status === 409 ? {} : { problem: text.slice(0, 300) };
}
