import { PermanentError, RetryableError } from '../../../core/errors.ts';
import type { SourceType } from '../../../core/leads/lead.ts';
import type { SourceAnswer } from './readings.ts';

/**
 * Error codes of sources, each permanent or retryable. The codes are part of the public contract.
 */
export const SOURCE_ERRORS = {
  source_not_configured: 'permanent',
  /** The key or its permissions were rejected, or the instance lacks the feature. */
  source_denied: 'permanent',
  /** A cookie consent page instead of results. */
  source_consent: 'permanent',
  /** A captcha. Retrying soon makes it worse. */
  source_captcha: 'permanent',
  /** The page is visible to members only. */
  source_auth_wall: 'permanent',
  /** The layout of the answer is unknown. */
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
  return errorOfCode(code, `${source}: ${message}`, options);
}

/** @param text names the source */
export const errorOfCode = (code: SourceErrorCode, text: string, options?: ErrorOptions) =>
  SOURCE_ERRORS[code] === 'retryable'
    ? new RetryableError(code, text, options)
    : new PermanentError(code, text, options);

/** @throws the source error of a status of 400 or above */
export function requireOk(source: SourceType, { status }: SourceAnswer): void {
  if (status < 400) return;
  if (status === 429) throw sourceError(source, 'source_rate_limited', 'it asks for fewer requests');
  if (status === 401 || status === 403) {
    throw sourceError(source, 'source_denied', `it refused the request (${status})`);
  }
  if (status >= 500) throw sourceError(source, 'source_unavailable', `it answered ${status}`);
  throw sourceError(source, 'source_unreadable', `it answered ${status}`);
}

/** @throws `source_unreadable` if the body is no JSON object */
export function readJson(source: SourceType, { body }: SourceAnswer): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null && !Array.isArray(json))
      return json as Record<string, unknown>;
  } catch {
    // Reported below, like any other answer that is no JSON object.
  }
  throw sourceError(source, 'source_unreadable', 'its answer is not the JSON it should be');
}
