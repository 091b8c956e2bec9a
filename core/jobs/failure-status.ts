import { ErrorCode } from '../errors.ts';

/**
 * HTTP status with which a request that waits for a job answers its failure: 422 if the same request
 * would fail again and its sender can change it, 503 if the site wants fewer requests, 504 if time
 * ran out; 502 for everything else that went wrong on the way to the page.
 */
export const failureStatus = (code: string): 422 | 502 | 503 | 504 => FAILURE_STATUSES[code] ?? 502;

/** Codes with another status than 502. */
export const FAILURE_STATUSES: Readonly<Record<string, 422 | 503 | 504>> = {
  page_timeout: 504,
  [ErrorCode.attemptTimeout]: 504,
  [ErrorCode.hostBusy]: 503,
  [ErrorCode.siteUnavailable]: 503,
  [ErrorCode.siteAskedToWait]: 503,
  http_too_many_requests: 503,
  egress_refused: 422,
  robots_disallowed: 422,
  page_too_large: 422,
  unsupported_content: 422,
  file_unreadable: 422,
  file_encrypted: 422,
  file_without_text: 422,
  bad_cookie: 422,
  bad_selector: 422,
  action_failed: 422,
  action_download: 422,
  action_new_window: 422,
};
