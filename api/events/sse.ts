import { once } from 'node:events';
import { encodeEventCursor } from '../http/cursor.ts';
import { type ApiResponse, answerHeaders } from '../http/route.ts';
import type { LiveMetrics } from '../metrics/metrics.ts';
import type { Streams } from './streams.ts';
import type { Sink } from './subscription.ts';

/** What a reader may leave unread in this process; the kernel holds some more. Beyond it nothing is written to it. */
export const MAX_UNREAD_BYTES = 512 * 1024;
/** After which `EventSource` comes again. */
const RETRY_MS = 2000;

/**
 * A response as Server-Sent Events. No library: those there are keep what a reader does not take in memory without a bound, and the
 * format is three lines.
 *
 * @throws Problem where there are too many streams
 */
export function openSse(
  response: ApiResponse,
  { streams, metrics }: { streams: Streams; metrics: LiveMetrics },
): Sink {
  const gone = new AbortController();
  const close = streams.open(response.locals.caller, {
    kind: 'sse',
    beat: () => {
      if (response.headersSent && !response.writableNeedDrain) write(':\n\n');
    },
    end: () => {
      gone.abort();
      // Where nothing was sent yet, the route still has the answer in hand.
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
  /** Too slow: it comes again with its place, and until then costs nothing. */
  const drop = () => {
    metrics.dropped('sse');
    gone.abort();
    response.destroy();
  };

  const drained = async () => {
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
        // nginx would gather the events of minutes.
        'x-accel-buffering': 'no',
      });
      // An id without data is no event, but it is what a client comes back with that has seen none yet.
      write(`retry: ${RETRY_MS}\nid: ${encodeEventCursor(from)}\n\n`);
    },
    send: (told) => write(told.sse),
    room: () => (response.writableNeedDrain ? drained() : undefined),
    isFull: () => response.writableLength > MAX_UNREAD_BYTES,
    end: () => {
      gone.abort();
      if (response.headersSent) {
        response.end();
        return;
      }
      // What tells EventSource not to come again.
      response.writeHead(204, answerHeaders(response));
      response.end();
    },
  };
}
