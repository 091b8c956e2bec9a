import { navigationError } from './navigation-error.ts';

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
