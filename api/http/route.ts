import type { ErrorRequestHandler, NextFunction, Request, Response, Router } from 'express';
import type { Scope } from '../../core/accounts/scopes.ts';
import { LINK_CODE } from '../../core/links/link.ts';
import type { Caller } from '../../db/accounts/users.ts';
import { requireScope } from './access.ts';
import { methodNotAllowed, notFound } from './problem.ts';

/** Memory accounting for one request's body. */
export interface BodyCharge {
  /** @throws Problem 503 if the total would exceed the limit */
  add(bytes: number): void;
  /** Frees all of it; twice is safe. Runs by itself when the answer is sent. */
  release(): void;
}

/** Per-request state; `caller` is set by authentication. */
export type Locals = {
  requestId: string;
  /** The route's template, such as `/api/v1/jobs/:id`, for metrics and logs. */
  route: string;
  /** `performance.now()` at arrival. */
  startedAt: number;
  caller: Caller;
  /** The client's address behind trusted proxies; set by authentication. */
  address: string;
  /** Values of the headers of the same names; set with the caller. */
  rateLimitPolicy?: string;
  rateLimit?: string;
  /** Set after authentication. */
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

/** What a request needs: a scope, or nothing, not even an API key. */
export type Needs = Scope | 'nothing';

/** One method of a path, as it is declared. */
export interface Endpoint {
  needs: Needs;
  handler: Handler;
}

/** Paths, in the order in which they are tried, with their methods. */
export type RouteTable = Record<string, Partial<Record<Method, Endpoint>>>;

/**
 * Registers the routes of a table, and 405 for other methods of their paths. What each needs is
 * checked here, before anything of the request is read.
 *
 * @param base the router's mount path
 */
export function serve(router: Router, base: string, routes: RouteTable): void {
  for (const [path, endpoints] of Object.entries(routes)) {
    const route = router.route(path);
    const template = `${base}${path}`;
    const named =
      (handler: Handler): Handler =>
      (request, response) => {
        response.locals.route = template;
        return handler(request, response);
      };
    const checked = ({ needs, handler }: Endpoint): Handler =>
      named((request, response) => {
        if (needs !== 'nothing') requireScope(response.locals.caller, needs);
        requireParameters(request);
        return handler(request, response);
      });
    const { GET, POST, PATCH, DELETE } = endpoints;
    if (GET) route.get(checked(GET));
    if (POST) route.post(checked(POST));
    if (PATCH) route.patch(checked(PATCH));
    if (DELETE) route.delete(checked(DELETE));
    const allowed = Object.keys(endpoints).flatMap((method) =>
      method === 'GET' ? ['GET', 'HEAD'] : [method],
    );
    route.all(
      named(() => {
        throw methodNotAllowed(allowed);
      }),
    );
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The pattern of each path parameter; other values match no route. */
const PARAMETERS: Record<string, RegExp> = {
  id: UUID,
  delivery: UUID,
  lead: /^[1-9]\d{0,17}$/,
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

/** A parameter of the path. It has its pattern: `serve` refused the request otherwise. */
export const pathParameter = ({ params }: ApiRequest, name: string): string => String(params[name]);

/** Not Express's `json`: it computes an ETag per answer, a tenth of a POST's time. */
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

export function sendNoContent(response: ApiResponse): void {
  response.writeHead(204, answerHeaders(response));
  response.end();
}

/**
 * Headers of every answer. Answers hold one user's data, so caches may not store them by default.
 */
export function answerHeaders({ locals }: ApiResponse): Record<string, string> {
  const headers: Record<string, string> = {
    'x-request-id': locals.requestId,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
  if (locals.rateLimit !== undefined && locals.rateLimitPolicy !== undefined) {
    headers['ratelimit-policy'] = locals.rateLimitPolicy;
    headers.ratelimit = locals.rateLimit;
  }
  return headers;
}
