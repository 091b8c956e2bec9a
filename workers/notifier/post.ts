import { PageFailure, pageErrorConsequence } from '../../core/jobs/page-errors.ts';
import type { Receipt, SendOutcome } from '../../core/notifications/delivery.ts';
import type { HttpClient } from '../../scraping/http/client.ts';
import type { ResponseHead } from '../../scraping/response/response-head.ts';
import { NO_RECEIPT, refused, retry } from './channel.ts';

/** For connecting, sending and reading the response. */
const TIMEOUT_MS = 10_000;
/** Of a response: how much is read, and how much is stored. */
const READ_BYTES = 64 * 1024;
const STORED_CHARACTERS = 1024;

/**
 * Posts to a URL that a user configured: through the egress guard, without following redirects,
 * reading at most `READ_BYTES` of the response. Any 2xx is a success.
 */
export async function post(
  http: HttpClient,
  url: string,
  message: { headers: Record<string, string>; body: string | Buffer; signal: AbortSignal },
): Promise<SendOutcome> {
  let head: ResponseHead | undefined;
  try {
    const answer = await http.get(url, {
      method: 'POST',
      ...message,
      headers: { accept: '*/*', ...message.headers },
      timeoutMs: TIMEOUT_MS,
      maxBytes: READ_BYTES,
      maxRedirects: 0,
      wantsBody: (seen) => {
        head = seen;
        return true;
      },
    });
    return outcomeOf(answer, answer.body.toString('utf8').slice(0, STORED_CHARACTERS));
  } catch (error) {
    if (!(error instanceof PageFailure)) throw error;
    // The receiver answered; a long body does not matter.
    if (error.code === 'page_too_large' && head) return outcomeOf(head, '');
    return failureOf(error);
  }
}

function outcomeOf({ status, headers }: ResponseHead, body: string): SendOutcome {
  const receipt: Receipt = { status, body };
  if (status >= 200 && status < 300) return { kind: 'delivered', receipt };
  if (status === 410) {
    const error = { code: 'gone', message: 'the receiver answered that it is gone for good (410)' };
    return { kind: 'refused', error, receipt, gone: true };
  }
  if (status >= 300 && status < 400) {
    return retry({ code: 'redirect_refused', message: `it answered with a redirect (${status})` }, receipt);
  }
  const error = { code: 'http_error', message: `it answered ${status}` };
  const retryAfterMs = retryAfter(headers['retry-after']);
  return { kind: 'retry', error, receipt, ...(retryAfterMs ? { retryAfterMs } : {}) };
}

/** Seconds or a date; undefined for anything else. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return ms > 0 ? ms : undefined;
}

/** For a message's receiver; the errors' own messages are about pages. */
const MESSAGES: Record<string, string> = {
  page_timeout: `it did not answer within ${TIMEOUT_MS / 1000} s`,
  connection_failed: 'the connection failed',
};

function failureOf({ code, message }: PageFailure): SendOutcome {
  const isTimeout = code === 'page_timeout';
  const error = { code: isTimeout ? 'timeout' : code, message: MESSAGES[code] ?? message };
  // A bad certificate gets renewed, so it is retried; what the guard refuses stays refused.
  const isFinal =
    code === 'egress_refused' || (code !== 'tls_failed' && pageErrorConsequence(code) === 'permanent');
  return isFinal ? refused(error, NO_RECEIPT) : retry(error, NO_RECEIPT);
}
