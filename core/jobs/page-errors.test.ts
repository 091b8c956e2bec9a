import { httpStatusError, pageErrorConsequence } from './page-errors.ts';

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
