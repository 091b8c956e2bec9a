import { once } from 'node:events';
import { encodeEventCursor } from '../http/cursor.ts';
import { type ApiResponse, answerHeaders, sendNoContent } from '../http/route.ts';
import type { StreamMetrics } from '../metrics/metrics.ts';
import type { Streams } from './streams.ts';
import type { Sink } from './subscription.ts';

/**
 * Unread bytes per client in this process (the kernel buffers some more). Above it nothing is
 * written.
 */
export const MAX_UNREAD_BYTES = 512 * 1024;
/** Delay before `EventSource` reconnects. */
const RETRY_MS = 2000;

/**
 * A response as Server-Sent Events. No library: the existing ones buffer unread events in memory
 * without a bound, and the format is three lines.
 *
 * @throws Problem if there are too many streams
 */
export function openSse(
  response: ApiResponse,
  { streams, metrics }: { streams: Streams; metrics: StreamMetrics },
): Sink {
  const gone = new AbortController();
  const close = streams.open(response.locals.caller, {
    kind: 'sse',
    beat: () => {
      if (response.headersSent && !response.writableNeedDrain) write(':\n\n');
    },
    end: () => {
      gone.abort();
      // Before the headers, the route still sends the answer.
      if (response.headersSent) response.end();
    },
  });
  response.on('close', () => {
    gone.abort();
    close();
  });

  const write = (text: string) => {
    if (gone.signal.aborted) return;
    response.write(text);
  };
  /** Too slow: the client reconnects with its cursor, and until then costs nothing. */
  const drop = () => {
    metrics.dropped('sse');
    gone.abort();
    response.destroy();
  };

  const untilDrained = async () => {
    const late = setTimeout(drop, streams.stalledMs);
    await once(response, 'drain', { signal: gone.signal }).catch(() => {});
    clearTimeout(late);
  };

  return {
    gone: gone.signal,
    begin: (from) => {
      if (gone.signal.aborted) return;
      response.writeHead(200, {
        ...answerHeaders(response),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        // Without it nginx buffers minutes of events.
        'x-accel-buffering': 'no',
      });
      // An id without data is no event, but a client that has seen none yet reconnects with it.
      write(`retry: ${RETRY_MS}\nid: ${encodeEventCursor(from)}\n\n`);
    },
    send: (event) => write(event.sse),
    drained: () => (response.writableNeedDrain ? untilDrained() : undefined),
    isFull: () => response.writableLength > MAX_UNREAD_BYTES,
    end: () => {
      gone.abort();
      if (response.headersSent) {
        response.end();
        return;
      }
      // 204 stops EventSource from reconnecting.
      sendNoContent(response);
    },
  };
}
