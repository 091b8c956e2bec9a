import type { SendOutcome } from '../../core/notifications/delivery.ts';
import { createDeliveryCircuitBreakers } from './circuit-breakers.ts';

const failed: SendOutcome = {
  kind: 'retry',
  error: { code: 'timeout', message: 'no answer' },
  receipt: { status: null, body: null },
};
const refused: SendOutcome = { ...failed, kind: 'refused' };

test('the circuit of a host that keeps failing opens, at no cost to its messages; other circuits stay closed', async () => {
  const changes: [string, boolean][] = [];
  const circuits = createDeliveryCircuitBreakers((key, open) => changes.push([key, open]));
  let sent = 0;
  const send = async () => {
    sent += 1;
    return failed;
  };
  for (let time = 0; time < 5; time += 1) expect(await circuits.send('webhook a', send)).toBe(failed);
  expect(await circuits.send('webhook a', send)).toMatchObject({
    kind: 'snooze',
    error: { code: 'circuit_open' },
    delayMs: expect.any(Number),
  });
  expect(sent).toBe(5);
  expect(changes).toEqual([['webhook a', true]]);
  expect(await circuits.send('webhook b', send)).toBe(failed);
});

test('an endpoint that is not found does not count against its host', async () => {
  const circuits = createDeliveryCircuitBreakers(() => {});
  const notFound: SendOutcome = { ...failed, receipt: { status: 404, body: '' } };
  for (let time = 0; time < 20; time += 1) {
    expect(await circuits.send('a', async () => notFound)).toBe(notFound);
  }
});

test('a refusal counts against its message and not its host', async () => {
  const circuits = createDeliveryCircuitBreakers(() => {});
  for (let time = 0; time < 20; time += 1)
    expect(await circuits.send('a', async () => refused)).toBe(refused);
});
