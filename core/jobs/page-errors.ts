import type { ErrorInfo } from '../errors.ts';

/**
 * Every page error: whether the page may succeed later, and the message for the user. The codes are
 * part of the public contract. The message of a blocked request does not reveal what is at the
 * address; the log does.
 */
export const PAGE_ERRORS = {
  dns_failed: ['retryable', 'the host name could not be resolved'],
  connection_refused: ['retryable', 'the server refused the connection'],
  connection_failed: ['retryable', 'the connection to the server failed'],
  proxy_failed: ['retryable', 'none of the proxies of this job could be used'],
  tls_failed: ['permanent', 'no secure connection: the certificate or the TLS handshake was not accepted'],
  page_timeout: ['retryable', 'the page did not load in time'],
  page_too_large: ['permanent', 'the page is larger than this installation accepts'],
  too_many_redirects: ['permanent', 'the page redirects without end'],
  egress_refused: ['permanent', 'the address is not reachable from here'],
  robots_disallowed: ['permanent', 'robots.txt of the site does not allow this page'],
  robots_unreadable: ['retryable', "the site's robots.txt cannot be read now, so no page of it is loaded"],
  browser_crashed: ['retryable', 'the browser crashed while the page was loading'],
  page_out_of_memory: ['permanent', 'the page takes more memory than this installation allows'],
  unsupported_content: ['permanent', 'the address leads to a file of a kind that is not read'],
  file_unreadable: ['permanent', 'the file is damaged, or not of the kind it claims to be'],
  file_encrypted: ['permanent', 'the file is protected by a password'],
  file_without_text: ['permanent', 'the file has no text'],
  extraction_failed: ['permanent', 'the content of the page could not be read'],
  capture_failed: ['retryable', 'the screenshot or PDF could not be made'],
  http_client_error: ['permanent', 'the server refused the request'],
  http_too_many_requests: ['retryable', 'the server asks for fewer requests'],
  http_server_error: ['retryable', 'the server failed'],
  bad_cookie: ['permanent', 'the browser does not accept a cookie of this job'],
  bad_selector: ['permanent', 'a field of extract has a selector that is not valid CSS'],
  action_failed: ['permanent', 'an action could not be done'],
  action_download: ['permanent', 'an action downloads a file, which is not a page'],
  action_new_window: ['permanent', 'an action opens a window that cannot be followed'],
} as const satisfies Record<string, readonly ['retryable' | 'permanent', string]>;

export type PageErrorCode = keyof typeof PAGE_ERRORS;

/** Whether a page with this `error.code` may succeed later. Unknown codes are retryable. */
export function pageErrorConsequence(code: string): 'retryable' | 'permanent' {
  return Object.hasOwn(PAGE_ERRORS, code) ? PAGE_ERRORS[code as PageErrorCode][0] : 'retryable';
}

/** @param message replaces the default message of the code */
export const pageError = (code: PageErrorCode, message?: string): ErrorInfo => ({
  code,
  message: message ?? PAGE_ERRORS[code][1],
});

/** Thrown if a page fails; `scrape` stores it as the page's `error`. */
export class PageFailure extends Error {
  constructor(
    readonly code: PageErrorCode,
    message?: string,
    options?: ErrorOptions,
  ) {
    super(message ?? PAGE_ERRORS[code][1], options);
    this.name = 'PageFailure';
  }

  get info(): ErrorInfo {
    return { code: this.code, message: this.message };
  }
}

/** The error for a status of 400 and above; the page keeps its content. Null below. */
export function httpStatusError(status: number): ErrorInfo | null {
  if (status < 400) return null;
  const message = `the server answered ${status}`;
  if (status === 429) return pageError('http_too_many_requests', message);
  return pageError(status >= 500 ? 'http_server_error' : 'http_client_error', message);
}

/** @param fields names in `extract` */
export const badSelector = (fields: readonly string[]): ErrorInfo =>
  pageError('bad_selector', `extract: the selector of ${fields.join(', ')} is not valid CSS`);
