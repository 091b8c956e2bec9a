import type { PageErrorCode } from '../../core/jobs/page-errors.ts';
import type { EgressFailure } from '../egress/proxy-client.ts';

/**
 * @param netError Chromium's error name, such as `net::ERR_EMPTY_RESPONSE`, or a text that contains
 *   it
 * @param egress the proxy's reason for this host, which is more precise: Chromium only sees a
 *   failed tunnel
 */
export function navigationError(netError: string, egress: EgressFailure | undefined): PageErrorCode {
  const name = /ERR_[A-Z0-9_]+/.exec(netError)?.[0] ?? '';
  if (/^ERR_(CERT|SSL)_/.test(name) || name === 'ERR_BAD_SSL_CLIENT_AUTH_CERT') return 'tls_failed';
  if (name === 'ERR_TOO_MANY_REDIRECTS') return 'too_many_redirects';
  // Blocked by Chromium itself, such as redirects to `file:`.
  if (/^ERR_(UNSAFE_REDIRECT|BLOCKED_BY_|DISALLOWED_URL_SCHEME|INVALID_REDIRECT)/.test(name))
    return 'egress_refused';
  if (egress) return egress;
  if (name === 'ERR_TIMED_OUT' || name === 'ERR_CONNECTION_TIMED_OUT') return 'page_timeout';
  if (name === 'ERR_NAME_NOT_RESOLVED' || name === 'ERR_INVALID_URL') return 'dns_failed';
  if (name === 'ERR_UNKNOWN_URL_SCHEME') return 'unsupported_content';
  return 'connection_failed';
}
