import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import type { ApiClient } from './api-client.ts';
import type { JobAnswer } from './job-summary.ts';
import { oneLine } from './untrusted.ts';

/** What the SDK hands to a tool beside its arguments. */
export type Call = RequestHandlerExtra<ServerRequest, ServerNotification>;

/**
 * Submits a job and waits for it, at most `seconds`. Meanwhile its progress goes to the client, if
 * that asked for it. If the client cancels the call, the job is cancelled too; if it disconnects or
 * the time is over, the job goes on.
 *
 * @returns the job as it was at the end of the wait
 */
export async function runJob(
  api: ApiClient,
  spec: Record<string, unknown>,
  seconds: number,
  call: Call,
): Promise<JobAnswer> {
  const { job_id: id } = await api.post<{ job_id: string }>('/jobs/scrape', spec);
  const cancelled = () => {
    // A job that has just ended cannot be cancelled: it is what the client will find.
    api.post(`/jobs/${id}/cancel`).catch(() => {});
  };
  call.signal.addEventListener('abort', cancelled, { once: true });
  try {
    // Cancelled while it was being accepted, when nothing listened yet.
    if (call.signal.aborted) cancelled();
    return await waitForJob(api, id, seconds, call);
  } finally {
    call.signal.removeEventListener('abort', cancelled);
  }
}

/**
 * One long poll: it ends early only if the job has ended or the server is about to stop. The stream
 * of events serves progress alone, so that losing it loses nothing else.
 */
export async function waitForJob(
  api: ApiClient,
  id: string,
  seconds: number,
  call: Call,
): Promise<JobAnswer> {
  const tell = progressOf(call);
  const done = new AbortController();
  const following = tell && follow(api, id, tell, done.signal);
  try {
    const job = await api.get<JobAnswer>(`/jobs/${id}`, { wait: seconds }, call.signal);
    done.abort();
    await following;
    // A short job may have ended before the first event was read.
    await tell?.(job.progress.done, job.progress.total, job.progress.message);
    return job;
  } finally {
    done.abort();
  }
}

/** The longest wait of a tool: clients give up on a call after 60 seconds. */
export const MOST_SECONDS = 50;

type Tell = (done: number, total: number | null, message: string | null) => Promise<void>;

/** Undefined if the client did not ask for it. */
function progressOf(call: Call): Tell | undefined {
  const progressToken = call._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  let last = -1;
  return async (progress, total, message) => {
    // The protocol wants each to be more than the one before.
    if (progress <= last) return;
    last = progress;
    const known = { ...(total === null ? {} : { total }), ...(message ? { message: oneLine(message) } : {}) };
    await call.sendNotification({
      method: 'notifications/progress',
      params: { progressToken, progress, ...known },
    });
  };
}

async function follow(api: ApiClient, id: string, tell: Tell, signal: AbortSignal): Promise<void> {
  try {
    await tell(0, null, `job ${id} waits for a worker`);
    for await (const event of api.events(`/jobs/${id}/events`, { type: 'job.*' }, signal)) {
      const { data } = event as { data: Partial<JobAnswer['progress']> };
      if (data.done !== undefined) await tell(data.done, data.total ?? null, data.message ?? null);
    }
  } catch {
    // Progress is a courtesy: the poll decides what the tool answers.
  }
}
