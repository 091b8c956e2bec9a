import compression from 'compression';
import type { Middleware } from '../http/route.ts';
import { NDJSON } from '../http/stream.ts';

/** Answers of a kilobyte and more, gzipped for those who take that; a tenth of the bytes of pages and leads. */
export const createCompression = (): Middleware =>
  compression({
    filter: (request, response) => {
      const type = String(response.getHeader('content-type') ?? '');
      // Of a stream each event must be out at once, and what gathers in a compressor is not.
      if (type.startsWith('text/event-stream')) return false;
      return type.startsWith(NDJSON) || compression.filter(request, response);
    },
  });
