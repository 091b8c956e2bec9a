import { randomUUID } from 'node:crypto';
import type { Logger } from '../../runtime/log/logger.ts';
import type { ApiResponse, Middleware } from '../http/route.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** A client's own request id is used if it is safe in a header, a log line and a column. */
const SANE_REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** Gives each request an id, and measures it when its answer is sent or its client is gone. */
export function createRequestMetrics(options: {
  metrics: Metrics;
  logger: Logger;
  /** One debug line per request. Off above `debug`: even a line that is not written costs. */
  accessLog: boolean;
}): Middleware {
  const { metrics, logger, accessLog } = options;

  // One shared function that gets its response as `this`: no closure per request.
  function recordRequest(this: ApiResponse): void {
    const { requestId, route, startedAt, caller } = this.locals;
    const milliseconds = performance.now() - startedAt;
    // 499 as in nginx: the client closed the connection before the answer.
    const status = this.headersSent ? this.statusCode : 499;
    const method = METHODS.has(this.req.method) ? this.req.method : 'OTHER';
    metrics.observeRequest(method, route, status, milliseconds / 1000);
    if (!accessLog) return;
    logger.debug('http_request', {
      request_id: requestId,
      method,
      route,
      path: this.req.originalUrl.split('?', 1)[0],
      status,
      duration_ms: Math.round(milliseconds * 10) / 10,
      user_id: caller?.userId,
    });
  }

  return (request, response, next) => {
    const { locals } = response;
    const given = request.headers['x-request-id'];
    locals.requestId = typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : randomUUID();
    locals.startedAt = performance.now();
    locals.route = 'unmatched';
    response.on('close', recordRequest);
    next();
  };
}

/** Node accepts about thirty methods; a label should have few values. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
