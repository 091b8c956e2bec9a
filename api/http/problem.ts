import { STATUS_CODES } from 'node:http';
import { type LimitReached, limitReachedMessage } from '../../core/accounts/limits.ts';
import { type Role, type Scope, scopesOf } from '../../core/accounts/scopes.ts';
import type { KeyRefusal } from '../../db/accounts/users.ts';

/** An invalid field: `path` such as `urls.0`, '' for the body itself. */
export interface FieldError {
  path: string;
  message: string;
}

/** The `path` of a field error. A name may be as long as the body. */
export const fieldPath = (path: readonly PropertyKey[]): string =>
  path.map((part) => String(part).slice(0, MAX_NAME)).join('.');

const MAX_NAME = 200;

interface ProblemExtra {
  errors?: FieldError[];
  missingScope?: Scope;
  headers?: Record<string, string>;
  /** Further members of the body. */
  members?: Record<string, unknown>;
  /** It tells how a job ended, which its worker has logged: no fault of this process. */
  isOfJob?: boolean;
}

/** An error answer (RFC 9457), thrown anywhere and written by the error handler. */
export class Problem extends Error {
  override name = 'Problem';

  /** @param code stable, snake_case, part of the public contract */
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly extra: ProblemExtra = {},
  ) {
    super(detail);
  }
}

/** `type` is about:blank, so `title` is the status phrase; `code` identifies the problem. */
export const problemBody = (
  problem: Problem,
  request: { instance: string | undefined; requestId: string },
) => ({
  type: 'about:blank',
  title: STATUS_CODES[problem.status] ?? 'Error',
  status: problem.status,
  detail: problem.detail,
  code: problem.code,
  instance: request.instance,
  request_id: request.requestId,
  ...(problem.extra.errors ? { errors: problem.extra.errors } : {}),
  ...(problem.extra.missingScope ? { missing_scope: problem.extra.missingScope } : {}),
  ...problem.extra.members,
});

export const invalidRequest = (errors: FieldError[]) =>
  new Problem(422, 'invalid_request', detailOf(errors), { errors });

const detailOf = ([first, ...others]: FieldError[]): string => {
  if (!first) return 'the request does not fit';
  const where = first.path === '' ? '' : `${first.path}: `;
  return `${where}${first.message}${others.length > 0 ? ` (and ${others.length} more)` : ''}`;
};

export const unauthorized = (detail: string) =>
  new Problem(401, 'unauthorized', detail, { headers: { 'www-authenticate': 'Bearer realm="leadengine"' } });

/** Said only to who presents the right key: what became of it. */
export function refusedKey(why: KeyRefusal | 'address_not_allowed'): Problem {
  const ended = { headers: { 'www-authenticate': 'Bearer realm="leadengine", error="invalid_token"' } };
  switch (why) {
    case 'key_revoked':
      return new Problem(401, 'key_revoked', 'this API key was revoked', ended);
    case 'key_expired':
      return new Problem(401, 'key_expired', 'this API key has expired', ended);
    case 'user_disabled':
      return new Problem(403, 'user_disabled', 'the user of this API key is disabled');
    case 'address_not_allowed':
      return new Problem(403, 'address_not_allowed', 'this API key may not be used from this address');
    default:
      return why satisfies never;
  }
}

export const missingScope = (scope: Scope, role: Role) => {
  const lacks = scopesOf(role, null).includes(scope) ? 'this API key' : `a user of the role ${role}`;
  return new Problem(403, 'forbidden', `expected the scope ${scope}, which ${lacks} does not have`, {
    missingScope: scope,
    headers: {
      'www-authenticate': `Bearer realm="leadengine", error="insufficient_scope", scope="${scope}"`,
    },
  });
};

export const forbidden = (detail: string) => new Problem(403, 'forbidden', detail);

export const notFound = (detail: string) => new Problem(404, 'not_found', detail);

export const methodNotAllowed = (allowed: string[]) =>
  new Problem(405, 'method_not_allowed', `this path answers ${allowed.join(', ')}`, {
    headers: { allow: allowed.join(', ') },
  });

export const conflict = (code: string, detail: string) => new Problem(409, code, detail);

export const tooManyRequests = (detail: string, retryAfterSeconds: number) =>
  new Problem(429, 'rate_limited', detail, { headers: { 'retry-after': String(retryAfterSeconds) } });

/** More requests than a user may send. */
export const rateLimited = (reached: LimitReached, retryAfterSeconds: number) =>
  new Problem(429, 'rate_limited', `no more than ${reached.limitValue} requests a second are served`, {
    headers: { 'retry-after': String(retryAfterSeconds) },
    members: limitMembers(reached),
  });

/** For limits that are free again when something happens, and not at a time. */
const RETRY_AFTER_S = 60;

export const limitReached = (reached: LimitReached) => {
  const seconds = reached.freeAt ? Math.ceil((reached.freeAt.getTime() - Date.now()) / 1000) : RETRY_AFTER_S;
  return new Problem(429, 'limit_reached', limitReachedMessage(reached), {
    headers: { 'retry-after': String(Math.max(seconds, 1)) },
    members: limitMembers(reached),
  });
};

const limitMembers = ({ limit, scope, used, limitValue, freeAt }: LimitReached) => ({
  ...{ limit, scope, used, limit_value: limitValue },
  free_at: freeAt?.toISOString() ?? null,
});

export const tooManyStreams = (limit: number) =>
  new Problem(429, 'too_many_streams', `at most ${limit} streams of a user are open at a time`, {
    headers: { 'retry-after': '10' },
  });

export const upgradeRequired = () =>
  new Problem(426, 'upgrade_required', 'this path speaks WebSocket', {
    // Closed after it: this header replaces the one in which the client asked for that.
    headers: { upgrade: 'websocket', connection: 'upgrade, close' },
  });

export const stopping = () =>
  new Problem(503, 'stopping', 'this process is about to end; try again', {
    headers: { 'retry-after': '1' },
  });

export const databaseUnavailable = () =>
  new Problem(503, 'database_unavailable', 'the database cannot be reached; try again', {
    headers: { 'retry-after': '2' },
  });

export const overloaded = () =>
  new Problem(503, 'overloaded', 'more requests are under way than this process can hold; try again', {
    headers: { 'retry-after': '2' },
  });

export const internalError = () =>
  new Problem(500, 'internal_error', 'something went wrong here; the request id finds it in the logs');

export const artifactsUnavailable = () =>
  new Problem(503, 'artifacts_unavailable', 'the store of artifacts does not answer; try again', {
    headers: { 'retry-after': '5' },
  });
