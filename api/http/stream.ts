import { type ApiResponse, answerHeaders } from './route.ts';

export const NDJSON = 'application/x-ndjson';

/** Sends what comes only as fast as the client reads, and asks for no more once it is gone. */
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
  // One listener for the whole answer: where it is compressed, one that was added can not be removed.
  response.on('drain', () => goOn());
  for await (const chunk of chunks) {
    if (gone.signal.aborted) return;
    // Only now: a first read that fails can still be answered with its own status.
    if (!response.headersSent) begin();
    const drained = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    if (!response.write(chunk)) await drained;
  }
  if (!response.headersSent) begin();
  response.end();
}
