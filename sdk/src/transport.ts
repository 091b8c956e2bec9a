import { ApiError, ConnectionError, type FieldError, LeadEngineError } from './errors.ts';
import { type Failure, parseRetryAfter, type RetryPolicy, retryDelay } from './retry.ts';
import { pause } from './time.ts';

/** Of every call. */
export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for one request, repetitions apart; default that of the client. */
  timeoutMs?: number | undefined;
}

/** Of calls that create something. */
export interface CreateOptions extends CallOptions {
  /**
   * Names the request: with the same key and body the server creates nothing twice. Made for each
   * call if left out; give one of your own so that your program may call again after a crash.
   */
  idempotencyKey?: string | undefined;
}

export interface Request extends CreateOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  query?: object | undefined;
  body?: unknown;
  accept?: string;
  headers?: Record<string, string>;
  /** A POST that does no harm when it is done twice, without an Idempotency-Key. */
  isSafe?: boolean;
  /** Holds on through the restart of a server: for what runs for long. */
  patient?: boolean;
}

export interface TransportOptions {
  /** Base of every path, without a slash at its end. */
  url: string;
  apiKey: string | undefined;
  fetch: typeof globalThis.fetch;
  timeoutMs: number;
  retry: RetryPolicy;
  headers: Record<string, string>;
}

/** For calls that follow something for long: about a minute of a server that is away. */
const PATIENCE = { retries: 12, capMs: 8000 };

/** Sends requests to one server: key, time limit, repetition, errors. */
export class Transport {
  constructor(readonly options: TransportOptions) {}

  /** The answer's JSON; undefined for 204. @throws LeadEngineError */
  async json<T>(path: string, request: Request = {}): Promise<T> {
    return this.#send(path, { accept: 'application/json', ...request }, async (response) => {
      const text = await response.text();
      if (text === '') return undefined as T;
      try {
        return JSON.parse(text) as T;
      } catch (cause) {
        throw new LeadEngineError('invalid_answer', `${this.options.url}${path} answered no JSON`, { cause });
      }
    });
  }

  /** The answer once its head is there; the time limit ends with it. @throws LeadEngineError */
  async open(path: string, request: Request = {}): Promise<Response> {
    return this.#send(path, request, async (response) => response);
  }

  async #send<T>(path: string, request: Request, read: (response: Response) => Promise<T>): Promise<T> {
    const { method = 'GET', isSafe = method !== 'POST', signal, patient = false } = request;
    const headers = this.#headersOf(request);
    const policy = this.options.retry;
    const patience = patient && policy.retries > 0 ? { ...policy, ...PATIENCE } : policy;
    for (let repeats = 0; ; repeats += 1) {
      let failure: Failure;
      let error: LeadEngineError;
      try {
        return await this.#attempt(path, { ...request, method, headers }, read);
      } catch (thrown) {
        if (signal?.aborted) throw signal.reason;
        if (!(thrown instanceof ApiError) && !(thrown instanceof ConnectionError)) throw thrown;
        error = thrown;
        // What the site answered, not this server: the job has had its attempts.
        if (thrown instanceof ApiError && thrown.jobId !== null) throw thrown;
        failure =
          thrown instanceof ApiError
            ? { kind: 'answer', status: thrown.status, retryAfterMs: thrown.retryAfterMs }
            : { kind: 'connection' };
      }
      const canRepeat = isSafe || headers['idempotency-key'] !== undefined;
      const delay = retryDelay(failure, repeats, patience, canRepeat, Math.random());
      if (delay === null) throw error;
      await pause(delay, signal);
    }
  }

  async #attempt<T>(
    path: string,
    { method, query, body, headers, signal, timeoutMs = this.options.timeoutMs }: Request,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const { url, fetch } = this.options;
    const target = `${url}${path}${queryText(query)}`;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      const response = await fetch(target, {
        method: method ?? 'GET',
        headers: headers ?? {},
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw await apiErrorOf(response, target);
      return await read(response);
    } catch (error) {
      if (error instanceof LeadEngineError) throw error;
      if (late.signal.aborted) {
        throw new ConnectionError('timeout', `${target} did not answer within ${timeoutMs} ms`);
      }
      const { code, message = String(error) } = causeOf(error);
      const why = code ?? message;
      throw new ConnectionError('unreachable', `${url} cannot be reached (${why})`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  #headersOf({ method = 'GET', accept, body, headers, idempotencyKey, isSafe }: Request) {
    const creates = method === 'POST' && !isSafe;
    return {
      ...this.options.headers,
      ...(accept ? { accept } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(this.options.apiKey ? { authorization: `Bearer ${this.options.apiKey}` } : {}),
      ...(creates ? { 'idempotency-key': idempotencyKey ?? randomKey() } : {}),
      ...headers,
    } as Record<string, string>;
  }
}

/** `?a=1&b=2`: lists joined by commas, an object `metadata` as `metadata.<name>`. */
export function queryText(query: object | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === null) continue;
    if (Array.isArray(value)) parameters.set(name, value.join(','));
    else if (value instanceof Date) parameters.set(name, value.toISOString());
    else if (typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) parameters.set(`${name}.${key}`, String(inner));
    } else parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

interface ProblemBody {
  code?: string;
  detail?: string;
  errors?: FieldError[];
  request_id?: string;
  job_id?: string;
}

async function apiErrorOf(response: Response, target: string): Promise<ApiError> {
  const text = await response.text().catch(() => '');
  let problem: ProblemBody = {};
  try {
    problem = JSON.parse(text) as ProblemBody;
  } catch {
    // Of a proxy in between.
  }
  const { code, detail, errors = [], request_id: requestId, job_id: jobId = null } = problem;
  return new ApiError(code ?? 'http_error', detail ?? `${target} answered ${response.status}`, {
    status: response.status,
    errors,
    jobId,
    requestId: requestId ?? response.headers.get('x-request-id'),
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), Date.now()),
  });
}

/** Node's fetch says only `fetch failed`; the reason is its cause. */
function causeOf(error: unknown): { code?: string; message?: string } {
  const { cause } = error as { cause?: unknown };
  return (cause ?? error ?? {}) as { code?: string; message?: string };
}

/** Without `crypto.randomUUID`, which pages over plain HTTP lack. */
export const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
