import { describe, expect, test } from '@jest/globals';
import { queueArguments } from './rabbitmq/declare.ts';
import { explainFailure } from './rabbitmq/failure.ts';
import { reconnectDelayMs } from './reconnect.ts';

describe('a failure is classified by what the operator can do about it', () => {
  test.each([
    ['Handshake terminated by server: 403 (ACCESS-REFUSED) with message "…"', 'broker_refused', 'error'],
    [
      'Expected ConnectionOpenOk; got <ConnectionClose channel:0 530 "NOT_ALLOWED - vhost x not found">',
      'broker_refused',
      'error',
    ],
    [
      'Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message "…"',
      'broker_conflict',
      'error',
    ],
    ['connect ECONNREFUSED 127.0.0.1:5672', 'broker_unreachable', 'warn'],
    ['connect ECONNREFUSED 127.0.0.1:40600', 'broker_unreachable', 'warn'],
  ])('%s', (message, event, level) => {
    expect(explainFailure(new Error(message))).toMatchObject({ event, level });
  });

  test('an error without a message is explained by its code', () => {
    const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
    expect(explainFailure(error).reason).toMatch(/: ECONNREFUSED$/);
  });
});

describe('the delay before reconnecting', () => {
  test('doubles from one second to four', () => {
    expect([1, 2, 3, 4, 50].map((failures) => reconnectDelayMs(failures, 0.5))).toEqual([
      1000, 2000, 4000, 4000, 4000,
    ]);
  });

  test('has a jitter of 20 % at most', () => {
    expect([0, 1].map((random) => Math.round(reconnectDelayMs(1, random)))).toEqual([800, 1200]);
  });
});

describe('the arguments of a queue', () => {
  test('a queue with dead letters dead-letters at least once', () => {
    expect(queueArguments({ name: 'work', deadLetter: 'dead', bindings: [] })).toEqual({
      'x-queue-type': 'quorum',
      'x-dead-letter-exchange': 'dlx',
      'x-dead-letter-routing-key': 'dead',
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
      'x-delivery-limit': 20,
    });
  });

  test('a queue without has no delivery limit, which would drop messages', () => {
    expect(queueArguments({ name: 'dead', bindings: [] })).toEqual({ 'x-queue-type': 'quorum' });
  });
});
