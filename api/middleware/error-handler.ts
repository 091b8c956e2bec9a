import { isDatabaseUnavailable } from '../../db/connect.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import { databaseUnavailable, internalError, notFound, Problem, problemBody } from '../http/problem.ts';
import { type ApiRequest, type ApiResponse, type ErrorMiddleware, sendText } from '../http/route.ts';

/** While the database is away every request fails for the one reason: one line a second tells it. */
const UNAVAILABLE_LOG_MS = 1000;

/** The one place where errors become answers, and where those nobody foresaw are logged. */
export function createErrorHandler(logger: Logger): ErrorMiddleware {
  let unavailableLoggedAt = Number.NEGATIVE_INFINITY;

  const log = (error: unknown, problem: Problem, request: ApiRequest, response: ApiResponse) => {
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
    // A stream that broke half way: only cutting the connection tells the client that there was more.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // Without the query, which may hold what its sender would not want echoed.
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

/** For whatever no route took. */
export const answerNotFound = (): never => {
  throw notFound('there is nothing at this path');
};

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isDatabaseUnavailable(error)) return databaseUnavailable();
  // The router's own, for a path parameter that does not decode.
  if (error instanceof URIError) return malformedUrl();
  return internalError();
}

export const malformedUrl = () =>
  new Problem(400, 'malformed_url', 'the URL holds a % that does not begin an encoded UTF-8 character');
