import { PermanentError, RetryableError } from '../../../core/errors.ts';
import type { SourceType } from '../../../core/leads/lead.ts';
import type { SourceAnswer } from './source.ts';

/** Every way a source can fail, and what follows. The codes are part of the public contract. */
export const SOURCE_ERRORS = {
  source_not_configured: 'permanent',
  /** The key or its rights were not accepted, or the instance does not offer what is needed. */
  source_denied: 'permanent',
  /** A page asks for consent to cookies before it gives anything. */
  source_consent: 'permanent',
  /** A page wants to see a human. Trying again soon makes it worse. */
  source_captcha: 'permanent',
  /** What is asked for is shown to members only. */
  source_auth_wall: 'permanent',
  /** It answered with something that is not the page it used to be. */
  source_unreadable: 'permanent',
  source_place_unknown: 'permanent',
  source_rate_limited: 'retryable',
  source_unavailable: 'retryable',
} as const;
export type SourceErrorCode = keyof typeof SOURCE_ERRORS;

export function sourceError(
  source: SourceType,
  code: SourceErrorCode,
  message: string,
  options?: ErrorOptions,
): PermanentError | RetryableError {
  const text = `${source}: ${message}`;
  return SOURCE_ERRORS[code] === 'retryable'
    ? new RetryableError(code, text, options)
    : new PermanentError(code, text, options);
}

/** @throws what a status of 400 and above means for any source */
export function requireOk(source: SourceType, { status }: SourceAnswer): void {
  if (status < 400) return;
  if (status === 429) throw sourceError(source, 'source_rate_limited', 'it asks for fewer requests');
  if (status === 401 || status === 403) {
    throw sourceError(source, 'source_denied', `it refused the request (${status})`);
  }
  if (status >= 500) throw sourceError(source, 'source_unavailable', `it answered ${status}`);
  throw sourceError(source, 'source_unreadable', `it answered ${status}`);
}

/** @throws `source_unreadable` where it is no JSON object */
export function readJson(source: SourceType, { body }: SourceAnswer): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null && !Array.isArray(json))
      return json as Record<string, unknown>;
  } catch {
    // Told below, as any other answer that is none.
  }
  throw sourceError(source, 'source_unreadable', 'its answer is not the JSON it should be');
}
