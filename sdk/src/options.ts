import { LeadEngineError } from './errors.ts';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts';
import type { TransportOptions } from './transport.ts';

export interface ClientOptions {
  /** Of the server; default `LEADENGINE_URL`, else `http://127.0.0.1:3000`. */
  url?: string | undefined;
  /** Default `LEADENGINE_API_KEY`. */
  apiKey?: string | undefined;
  /** Milliseconds for one request; default 60,000. */
  timeoutMs?: number;
  /** When a request is sent again; `{ retries: 0 }` for never. */
  retry?: Partial<RetryPolicy>;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** Instead of the global one: for a proxy, or a test. */
  fetch?: typeof globalThis.fetch;
}

const DEFAULT_URL = 'http://127.0.0.1:3000';
const DEFAULT_TIMEOUT_MS = 60_000;

/** @throws LeadEngineError `invalid_url` */
export function transportOptions(options: ClientOptions): TransportOptions {
  const apiKey = options.apiKey ?? environment('LEADENGINE_API_KEY');
  return {
    url: baseOf(options.url ?? environment('LEADENGINE_URL') ?? DEFAULT_URL),
    apiKey: apiKey?.trim() || undefined,
    // Called as a function of nothing: browsers refuse it as a method of another object.
    fetch: options.fetch ?? ((...request) => globalThis.fetch(...request)),
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    retry: { ...DEFAULT_RETRY, ...options.retry },
    headers: options.headers ?? {},
  };
}

/** Without a slash at its end; a path is kept, for a server behind a proxy. */
function baseOf(text: string): string {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Below.
  }
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new LeadEngineError(
      'invalid_url',
      `expected the URL of a server, such as http://127.0.0.1:3000, got ${JSON.stringify(text)}`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
}

/** There is none in a browser. */
function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name]?.trim() || undefined;
}
