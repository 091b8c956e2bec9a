import { PageFailure, pageErrorConsequence } from '../../../core/jobs/page-errors.ts';
import type { SourceType } from '../../../core/leads/lead.ts';
import { authorizationFor, splitLogin } from '../../../core/url-login.ts';
import type { HttpClient, HttpResponse } from '../../http/client.ts';
import { sourceError } from './errors.ts';
import type { SourceFetch } from './source.ts';

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 20 * 1024 * 1024;

/**
 * HTTP requests of sources, by a client of their own whose egress guard allows the configured
 * endpoints.
 *
 * @param endpoints the configured ones: a user name and password in one are sent to its origin, also
 *   for further pages
 */
export function createSourceFetch(
  http: Pick<HttpClient, 'get'>,
  endpoints: readonly string[] = [],
): (source: SourceType, signal: AbortSignal) => SourceFetch {
  const logins = endpoints.flatMap((endpoint) => splitLogin(endpoint).login ?? []);
  return (source, signal) =>
    async (url, { headers = {}, timeoutMs = TIMEOUT_MS } = {}) => {
      try {
        const answer = await http.get(url, {
          ...{ signal, timeoutMs, maxBytes: MAX_BYTES, headers },
          authorization: (requested) => authorizationFor(logins, requested, url),
        });
        return { status: answer.status, url: answer.url, body: decodeBody(answer) };
      } catch (error) {
        if (!(error instanceof PageFailure)) throw error;
        const { host } = new URL(url);
        const code =
          pageErrorConsequence(error.code) === 'retryable' ? 'source_unavailable' : 'source_unreadable';
        throw sourceError(source, code, `${host}: ${error.message}`, { cause: error });
      }
    };
}

function decodeBody({ body, contentType }: HttpResponse): string {
  const charset = /charset\s*=\s*"?([\w-]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return body.toString('utf8');
  }
}
