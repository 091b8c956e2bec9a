import { PERMANENT_DELIVERY_ERRORS, type SendOutcome, STALE_AFTER_MS, settleDelivery } from './delivery.ts';

const policy = { baseMs: 1000, capMs: 60_000 };
const error = { code: 'http_error', message: 'it answered 500' };
const receipt = { status: 500, body: '' };
const first = { attempt: 1, maxAttempts: 3, ageMs: 0 };
const last = { attempt: 3, maxAttempts: 3, ageMs: 0 };
const failed: SendOutcome = { kind: 'retry', error, receipt };

test('a failed attempt waits for its back-off, and the last one fails the delivery', () => {
  expect(settleDelivery(first, failed, policy, 0)).toMatchObject({ status: 'queued', delayMs: 500, error });
  expect(settleDelivery(last, failed, policy, 0)).toMatchObject({ status: 'failed', error, receipt });
});

test('a Retry-After is honoured, up to a day', () => {
  const asked = (retryAfterMs: number) =>
    settleDelivery(first, { ...failed, retryAfterMs } as SendOutcome, policy, 0).delayMs;
  expect(asked(30_000)).toBe(30_000);
  expect(asked(1)).toBe(500);
  expect(asked(1e12)).toBe(24 * 3_600_000);
});

test('a permanent refusal fails the delivery at once', () => {
  const refusal: SendOutcome = { kind: 'refused', error, receipt, gone: true };
  expect(settleDelivery(first, refusal, policy, 0)).toMatchObject({ status: 'failed', gone: true });
});

test('a release costs no attempt, but stale deliveries fail', () => {
  const snooze: SendOutcome = { kind: 'snooze', error, delayMs: 7000 };
  expect(settleDelivery(last, snooze, policy, 0)).toMatchObject({
    status: 'queued',
    delayMs: 7000,
    spendsAttempt: false,
  });
  const old = { ...first, ageMs: STALE_AFTER_MS + 1 };
  expect(settleDelivery(old, snooze, policy, 0)).toMatchObject({ status: 'failed', error });
});

test.each([
  ['egress_refused', true],
  ['gone', true],
  ['mail_refused', true],
  ['push_rejected', true],
  ['http_error', false],
  ['tls_failed', false],
  ['dns_failed', false],
  ['timeout', false],
])('whether sending again cannot help after %s: %p', (code, permanent) => {
  expect(PERMANENT_DELIVERY_ERRORS.includes(code)).toBe(permanent);
});
