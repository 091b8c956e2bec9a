import type { ErrorInfo } from '../core/errors.ts';
import { errorText } from './tool-error.ts';

/** The HTTP API, as the tools use it: paths below `/api/v1`. */
export interface ApiClient {
  /** @throws ApiError with the code of the answer, or `server_unreachable` */
  get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T>;
  post<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T>;
  /** The `data` of each Server-Sent Event, as long as the stream lasts. */
  events(path: string, query: Query, signal: AbortSignal): AsyncGenerator<unknown>;
}

type Query = Record<string, string | number | boolean | undefined>;

/** An answer that is an error: what the API said, in its words. */
export class ApiError extends Error {
  override name = 'ApiError';

  constructor(readonly info: ErrorInfo) {
    super(errorText(info));
  }
}

/**
 * All tools go through HTTP, in the API process too: authentication, limits and validation are then
 * those of every other client, whichever transport the agent uses.
 *
 * @param url base URL of the API, without a slash at its end
 */
export function createApiClient({ url, key }: { url: string; key: string }): ApiClient {
  const send = async (method: string, path: string, query: Query, rest: RequestInit): Promise<Response> => {
    const target = new URL(`${url}/api/v1${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    const headers = { authorization: `Bearer ${key}`, ...rest.headers };
    let response: Response;
    try {
      response = await fetch(target, { ...rest, method, headers, redirect: 'error' });
    } catch (error) {
      if (rest.signal?.aborted) throw error;
      throw unreachable(url, error);
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  };
  const json = async <T>(response: Response): Promise<T> => {
    try {
      return (await response.json()) as T;
    } catch (error) {
      throw unreachable(url, error);
    }
  };
  return {
    get: async (path, query = {}, signal) =>
      json(await send('GET', path, query, { headers: JSON_ONLY, ...(signal ? { signal } : {}) })),
    post: async (path, body, signal) => {
      const content =
        body === undefined
          ? { headers: JSON_ONLY }
          : { headers: { ...JSON_ONLY, 'content-type': 'application/json' }, body: JSON.stringify(body) };
      return json(await send('POST', path, {}, { ...content, ...(signal ? { signal } : {}) }));
    },
    events: async function* (path, query, signal) {
      const { body } = await send('GET', path, query, { headers: { accept: 'text/event-stream' }, signal });
      if (body) yield* dataOf(body);
    },
  };
}

const JSON_ONLY = { accept: 'application/json' };

/** The data of each frame; our frames have one line of it. */
async function* dataOf(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const frames = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const { status, headers } = response;
  const problem = await response.json().catch(() => ({}));
  const { code, detail, errors } = problem as Partial<{ code: string; detail: string; errors: Field[] }>;
  const fields = (errors ?? []).slice(0, MAX_FIELDS).map(({ path, message }) => `${path}: ${message}`);
  const wait = headers.get('retry-after');
  const message = [
    fields.length > 1 ? fields.join('; ') : (detail ?? `the server answered ${status}`),
    ...(wait ? [`try again in ${wait} s`] : []),
  ].join('; ');
  return new ApiError({ code: code ?? `http_${status}`, message });
}

interface Field {
  path: string;
  message: string;
}

const MAX_FIELDS = 20;

function unreachable(url: string, error: unknown): ApiError {
  const { cause } = error as Error;
  const { code, message } = (cause ?? error) as NodeJS.ErrnoException;
  const why = code ?? message;
  return new ApiError({
    code: 'server_unreachable',
    message: `LeadEngine at ${url} cannot be reached (${why}): start it, or set LEADENGINE_URL; jobs that were accepted go on`,
  });
}
