import { type PageErrorCode, PageFailure } from '../../core/jobs/page-errors.ts';
import { EgressError } from '../egress/guard.ts';

/** Maps a network error to the page error that the browser engine gives for the same failure. */
export function clientFailure(error: unknown): PageFailure {
  if (error instanceof PageFailure) return error;
  return new PageFailure(codeOf(error), undefined, { cause: error });
}

function codeOf(error: unknown): PageErrorCode {
  if (error instanceof EgressError) return error.code;
  const code = systemCode(error);
  if (TLS_ERROR.test(code)) return 'tls_failed';
  return code === 'ECONNREFUSED' ? 'connection_refused' : 'connection_failed';
}

/** OpenSSL's codes for untrusted certificates, Node's for failed handshakes. */
const TLS_ERROR =
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|ERR_OSSL|EPROTO$)/;

/** The `code` of an error; empty if it has none. */
export const systemCode = (error: unknown): string =>
  String((error as { code?: unknown } | null)?.code ?? '');
