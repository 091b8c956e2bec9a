import compression from 'compression';
import type { ApiRequest, Middleware } from '../http/route.ts';
import { NDJSON } from '../http/stream.ts';

/** Gzips answers of 1 KB and more if the client accepts it; pages and leads shrink to a tenth. */
export function createCompression(): Middleware {
  const compress = compression({
    filter: (request, response) => {
      const type = String(response.getHeader('content-type') ?? '');
      // Each event of a stream must be sent at once; a compressor would hold it back.
      if (type.startsWith('text/event-stream')) return false;
      return type.startsWith(NDJSON) || compression.filter(request, response);
    },
  });
  return (request, response, next) => (isShort(request) ? next() : compress(request, response, next));
}

/**
 * The most frequent request. Its answers, but for long lists of errors, are shorter than what is
 * compressed, and preparing for more costs a tenth of the API's time.
 */
const isShort = ({ method, url }: ApiRequest): boolean => method === 'POST' && url.endsWith('/jobs/scrape');
