import { Problem } from '../http/problem.ts';
import { answerHeaders, type Middleware } from '../http/route.ts';
import { malformedUrl } from './error-handler.ts';

/** Answers `OPTIONS *`, which asks about the server and not about a path. */
export const answerServerOptions: Middleware = (request, response, next) => {
  if (request.url !== '*') return next();
  if (request.method !== 'OPTIONS') {
    return next(new Problem(400, 'malformed_url', 'expected a path: * is for OPTIONS alone'));
  }
  response.writeHead(204, { ...answerHeaders(response), allow: 'GET, HEAD, POST, PATCH, DELETE, OPTIONS' });
  response.end();
};

/** Refuses a URL with an invalid percent encoding. */
export const refuseMalformedUrl: Middleware = (request, _response, next) => {
  if (request.url.includes('%')) {
    try {
      decodeURIComponent(request.url);
    } catch {
      next(malformedUrl());
      return;
    }
  }
  next();
};
