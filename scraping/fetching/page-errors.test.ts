import { httpStatusError, navigationError, pageErrorConsequence } from './page-errors.ts';

it.each([
  ['dns_failed', 'retryable'],
  ['connection_refused', 'retryable'],
  ['connection_failed', 'retryable'],
  ['page_timeout', 'retryable'],
  ['browser_crashed', 'retryable'],
  ['http_server_error', 'retryable'],
  ['http_too_many_requests', 'retryable'],
  ['egress_refused', 'permanent'],
  ['page_too_large', 'permanent'],
  ['unsupported_content', 'permanent'],
  ['http_client_error', 'permanent'],
  ['tls_failed', 'permanent'],
  ['bad_selector', 'permanent'],
  ['action_failed', 'permanent'],
  ['something_new', 'retryable'],
  ['toString', 'retryable'],
])('%s is %s', (code, consequence) => {
  expect(pageErrorConsequence(code)).toBe(consequence);
});

it('a status is an error from 400', () => {
  expect([200, 304, 399, 400, 429, 500].map((status) => httpStatusError(status)?.code ?? null)).toEqual([
    null,
    null,
    null,
    'http_client_error',
    'http_too_many_requests',
    'http_server_error',
  ]);
});

it.each([
  ['net::ERR_TUNNEL_CONNECTION_FAILED', 'egress_refused', 'egress_refused'],
  ['net::ERR_EMPTY_RESPONSE', 'dns_failed', 'dns_failed'],
  ['net::ERR_EMPTY_RESPONSE', undefined, 'connection_failed'],
  // The proxy's note is of an earlier connection: TLS is the browser's own matter.
  ['net::ERR_CERT_AUTHORITY_INVALID', 'connection_failed', 'tls_failed'],
  ['net::ERR_SSL_PROTOCOL_ERROR', 'connection_failed', 'tls_failed'],
  ['net::ERR_TOO_MANY_REDIRECTS', undefined, 'too_many_redirects'],
  ['net::ERR_UNSAFE_REDIRECT', undefined, 'egress_refused'],
  ['page.goto: net::ERR_NAME_NOT_RESOLVED at http://x/', undefined, 'dns_failed'],
  ['something else', undefined, 'connection_failed'],
] as const)('%s with the note %s is %s', (netError, note, code) => {
  expect(navigationError(netError, note)).toBe(code);
});
