import { isDatabaseUnavailable } from '../../db/connect.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { databaseUnavailable, internalError, notFound, Problem, problemBody } from '../http/problem.ts';
import { type ApiRequest, type ApiResponse, type ErrorMiddleware, sendText } from '../http/route.ts';

/** While the database is away every request fails for the same reason: log one line per second. */
const UNAVAILABLE_LOG_MS = 1000;

/** The one place that maps errors to answers and logs unexpected ones. */
export function createErrorHandler(logger: Logger): ErrorMiddleware {
  let unavailableLoggedAt = Number.NEGATIVE_INFINITY;

  const log = (error: unknown, problem: Problem, request: ApiRequest, response: ApiResponse) => {
    if (problem.extra.isOfJob) return;
    const { requestId, route } = response.locals;
    const fields = { request_id: requestId, method: request.method, route, error };
    if (problem.status === 503) {
      if (performance.now() - unavailableLoggedAt < UNAVAILABLE_LOG_MS) return;
      unavailableLoggedAt = performance.now();
      logger.error(problem.code, fields);
    } else if (problem.status >= 500) {
      logger.error('request_failed', fields);
    }
  };

  return (error: unknown, request: ApiRequest, response: ApiResponse, _next) => {
    const problem = problemOf(error);
    log(error, problem, request, response);
    // A stream failed half way: only a cut connection shows the client that data is missing.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // Without the query, which may hold secrets.
    const instance = request.originalUrl.split('?', 1)[0] ?? '/';
    sendText(
      response,
      problem.status,
      'application/problem+json; charset=utf-8',
      JSON.stringify(problemBody(problem, { instance, requestId: response.locals.requestId })),
      problem.extra.headers,
    );
  };
}

/** For requests that match no route. */
export const answerNotFound = (): never => {
  throw notFound('there is nothing at this path');
};

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isDatabaseUnavailable(error)) return databaseUnavailable();
  // Thrown by the router for a path parameter that does not decode.
  if (error instanceof URIError) return malformedUrl();
  return internalError();
}

export const malformedUrl = () =>
  new Problem(400, 'malformed_url', 'the URL holds a % that does not begin an encoded UTF-8 character');
