import compression from 'compression';
import type { Middleware } from '../http/route.ts';
import { NDJSON } from '../http/stream.ts';

/** Gzips answers of 1 KB and more if the client accepts it; pages and leads shrink to a tenth. */
export const createCompression = (): Middleware =>
  compression({
    filter: (request, response) => {
      const type = String(response.getHeader('content-type') ?? '');
      // Each event of a stream must be sent at once; a compressor would hold it back.
      if (type.startsWith('text/event-stream')) return false;
      return type.startsWith(NDJSON) || compression.filter(request, response);
    },
  });
