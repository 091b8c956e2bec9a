import { type ApiResponse, answerHeaders } from './route.ts';

export const NDJSON = 'application/x-ndjson';

/** Streams chunks as fast as the client reads, and stops reading the source when it is gone. */
export async function sendStream(
  response: ApiResponse,
  headers: Record<string, string>,
  chunks: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const begin = () => response.writeHead(200, { ...headers, ...answerHeaders(response) });
  const gone = new AbortController();
  let goOn = () => {};
  response.on('close', () => {
    gone.abort();
    goOn();
  });
  // One listener per answer: with compression, an added listener cannot be removed.
  response.on('drain', () => goOn());
  for await (const chunk of chunks) {
    if (gone.signal.aborted) return;
    // Only now, so that a failed first read can still be answered with its own status.
    if (!response.headersSent) begin();
    const drained = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    if (!response.write(chunk)) await drained;
  }
  if (!response.headersSent) begin();
  response.end();
}
