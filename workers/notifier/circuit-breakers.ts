import type { SendOutcome } from '../../core/notifications/delivery.ts';
import { createCircuitBreakers } from '../../runtime/circuit-breakers.ts';

/**
 * A circuit breaker per mail server, push service and webhook host. While a circuit is open,
 * messages for it wait in Postgres, which costs no attempt and no slot; after a pause one message
 * tests the host.
 */
export interface DeliveryCircuitBreakers {
  send(key: string, send: () => Promise<SendOutcome>): Promise<SendOutcome>;
}

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 5000;

export function createDeliveryCircuitBreakers(
  onChange: (key: string, open: boolean) => void,
): DeliveryCircuitBreakers {
  const circuits = createCircuitBreakers<SendOutcome>({
    isFailure: isHostFailure,
    ...{ failuresToOpen: FAILURES_TO_OPEN, firstPauseMs: FIRST_PAUSE_MS, onChange },
  });
  return { send: async (key, send) => (await circuits.run(key, send)) ?? circuitOpen() };
}

const circuitOpen = (): SendOutcome => {
  const message = 'its last messages all failed; sending is paused for a while';
  const delayMs = FIRST_PAUSE_MS * (1 + Math.random());
  return { kind: 'snooze', error: { code: 'circuit_open', message }, delayMs };
};

/** HTTP 429 and SMTP 421: too many messages for now. */
const THROTTLED: ReadonlySet<number> = new Set([421, 429]);

/**
 * No answer, or a server error. A 404 or a full mailbox is about one endpoint of many on its host.
 */
function isHostFailure(outcome: SendOutcome): boolean {
  if (outcome.kind !== 'retry') return false;
  const { status } = outcome.receipt;
  return status === null || status >= 500 || THROTTLED.has(status);
}
