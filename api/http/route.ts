import type { ErrorRequestHandler, NextFunction, Request, Response, Router } from 'express';
import { LINK_CODE } from '../../core/links/link.ts';
import type { Caller } from '../../db/accounts/users.ts';
import { UUID } from './cursor.ts';
import { methodNotAllowed, notFound } from './problem.ts';

/** What the bodies of one request take. */
export interface BodyCharge {
  /** @throws Problem 503 where this would be too much on top of what is held already */
  add(bytes: number): void;
  /** Gives all of it back; twice is safe. Whoever does not is done when the answer is. */
  release(): void;
}

/** What a request gathers on its way; `caller` is there behind authentication. */
export type Locals = {
  requestId: string;
  /** The template of the route that answers, such as `/api/v1/jobs/:id`: what metrics and logs may name. */
  route: string;
  /** `performance.now()` of its arrival. */
  startedAt: number;
  caller: Caller;
  /** Behind authentication too. */
  body: BodyCharge;
};

export type ApiRequest = Request;
export type ApiResponse = Response<unknown, Locals>;
export type Handler = (request: ApiRequest, response: ApiResponse) => void | Promise<void>;
export type Middleware = (request: ApiRequest, response: ApiResponse, next: NextFunction) => void;
export type ErrorMiddleware = ErrorRequestHandler<
  Request['params'],
  unknown,
  unknown,
  Request['query'],
  Locals
>;

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Serves a path, and answers 405 to the methods it does not know. `base` is where the router itself is mounted. */
export function serve(
  router: Router,
  base: string,
  path: string,
  handlers: Partial<Record<Method, Handler>>,
): void {
  const route = router.route(path);
  const template = `${base}${path}`;
  const named =
    (handler: Handler): Handler =>
    (request, response) => {
      response.locals.route = template;
      return handler(request, response);
    };
  const checked = (handler: Handler): Handler =>
    named((request, response) => {
      requireParameters(request);
      return handler(request, response);
    });
  if (handlers.GET) route.get(checked(handlers.GET));
  if (handlers.POST) route.post(checked(handlers.POST));
  if (handlers.PATCH) route.patch(checked(handlers.PATCH));
  if (handlers.DELETE) route.delete(checked(handlers.DELETE));
  const allowed = Object.keys(handlers).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  route.all(
    named(() => {
      throw methodNotAllowed(allowed);
    }),
  );
}

/** What each path parameter can be at all: nothing else reaches a route, let alone the database. */
const PARAMETERS: Record<string, RegExp> = {
  id: UUID,
  delivery: UUID,
  code: LINK_CODE,
  file: /^[a-z]{1,20}\.[a-z]{1,10}$/,
  token: /^[\w.-]{1,2000}$/,
  position: /^[0-9]{1,9}$/,
  name: /^[\w.-]{1,200}$/,
};

function requireParameters({ params }: ApiRequest): void {
  for (const [name, value] of Object.entries(params)) {
    if (!PARAMETERS[name]?.test(String(value))) throw notFound(`there is nothing of this ${name}`);
  }
}

/** Not Express's `json`: that makes an ETag of every answer, and costs a tenth of a POST. */
export function sendJson(
  response: ApiResponse,
  status: number,
  body: unknown,
  headers?: Record<string, string>,
): void {
  sendText(response, status, 'application/json; charset=utf-8', JSON.stringify(body), headers);
}

export function sendText(
  response: ApiResponse,
  status: number,
  contentType: string,
  text: string,
  headers?: Record<string, string>,
): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    ...answerHeaders(response),
    ...headers,
  });
  response.end(text);
}

/** What every answer carries. Answers hold one user's data, so nobody keeps them unless a route says otherwise. */
export const answerHeaders = (response: ApiResponse) => ({
  'x-request-id': response.locals.requestId,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
});
