import { outcomeFromPages } from './outcome.ts';

const failure = (code: string, retryable: boolean) => ({ error: { code, message: code }, retryable });

test('a job with one good page is completed', () => {
  expect(outcomeFromPages(2, [failure('dns_failed', true)])).toEqual({ kind: 'completed' });
});

test('a job whose only page failed permanently fails with its error', () => {
  expect(outcomeFromPages(1, [failure('egress_refused', false)])).toEqual({
    kind: 'fail',
    error: { code: 'egress_refused', message: 'egress_refused' },
  });
});

test('a job whose pages all failed is retried if one of the errors is retryable', () => {
  const outcome = outcomeFromPages(2, [failure('http_client_error', false), failure('page_timeout', true)]);
  expect(outcome).toMatchObject({ kind: 'retry', error: { code: 'all_urls_failed' } });
});

test("an error code that all pages share is the job's", () => {
  expect(outcomeFromPages(2, [failure('dns_failed', true), failure('dns_failed', true)])).toMatchObject({
    error: { code: 'dns_failed' },
  });
});
