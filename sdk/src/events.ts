import { ApiError, ConnectionError } from './errors.ts';
import { retryDelay } from './retry.ts';
import { readEvents } from './sse.ts';
import { pause } from './time.ts';
import type { CallOptions, Transport } from './transport.ts';
import type { LiveEvent } from './types.ts';

export interface EventOptions extends Omit<CallOptions, 'timeoutMs'> {
  /** Only these: `job.completed`, or `job.*`. */
  types?: readonly string[] | undefined;
  /** The `cursor` of the last event that was handled: continues after it. */
  lastEventId?: string | undefined;
}

/** The server sends a comment every 15 seconds. */
const SILENCE_MS = 50_000;
/** A restarting server is away for some seconds. */
const RECONNECT = { retries: 12, baseMs: 250, capMs: 8000 };

/**
 * Events as they happen, reconnecting with the last id: none is missed and none comes twice. Those of
 * a job from its first on, until it has ended; without a job all of the user's, from now on, without
 * an end.
 */
export async function* liveEvents(
  transport: Transport,
  jobId: string | undefined,
  { signal, types, lastEventId }: EventOptions = {},
): AsyncGenerator<LiveEvent, void, undefined> {
  const path = jobId === undefined ? '/api/v1/events' : `/api/v1/jobs/${encodeURIComponent(jobId)}/events`;
  let last = lastEventId;
  for (let failures = 0; ; ) {
    let error: unknown = new ConnectionError('unreachable', `${transport.options.url} closed the stream`);
    try {
      const response = await transport.open(path, {
        ...{ signal, query: { type: types }, accept: 'text/event-stream', patient: true },
        headers: last === undefined ? {} : { 'last-event-id': last },
      });
      // 204: the job has ended, and so have its events.
      if (response.status === 204 || !response.body) return;
      for await (const { id, data } of readEvents(chunksOf(response.body, signal))) {
        failures = 0;
        if (id !== null) last = id;
        if (data !== null) yield JSON.parse(data) as LiveEvent;
      }
    } catch (thrown) {
      if (signal?.aborted) throw signal.reason;
      if (thrown instanceof ApiError) throw thrown;
      error = thrown;
    }
    const delay = retryDelay({ kind: 'connection' }, failures, RECONNECT, true, Math.random());
    if (delay === null) throw error;
    failures += 1;
    await pause(delay, signal);
  }
}

/** @throws if nothing came for too long: the connection may be dead without having been closed */
async function* chunksOf(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('the stream is silent')), SILENCE_MS);
      });
      const { done, value } = await Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer));
      signal?.throwIfAborted();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
