import type { SendOutcome } from '../../core/notifications/delivery.ts';
import { createCircuitBreakers } from '../../runtime/circuit-breakers.ts';

/**
 * A circuit breaker a mail server, push service and webhook host. One that fails is left alone for a while: what is for it waits
 * in Postgres, which costs no attempt and no slot, and one message in between tries whether it is back.
 */
export interface DeliveryCircuitBreakers {
  send(key: string, send: () => Promise<SendOutcome>): Promise<SendOutcome>;
}

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 5000;

export function createDeliveryCircuitBreakers(onChange: (key: string, open: boolean) => void): DeliveryCircuitBreakers {
  const circuits = createCircuitBreakers<SendOutcome>({
    isFailure: speaksOfHost,
    ...{ failuresToOpen: FAILURES_TO_OPEN, firstPauseMs: FIRST_PAUSE_MS, onChange },
  });
  return { send: async (key, send) => (await circuits.run(key, send)) ?? leftAlone() };
}

const leftAlone = (): SendOutcome => {
  const message = 'it failed for every message lately and is left alone for a while';
  const delayMs = FIRST_PAUSE_MS * (1 + Math.random());
  return { kind: 'snooze', error: { code: 'circuit_open', message }, delayMs };
};

/** HTTP 429 and SMTP 421: too much for now. */
const TOO_MUCH: ReadonlySet<number> = new Set([421, 429]);

/** No answer, or one of a server in trouble. A 404 or a full mailbox speaks of one endpoint, and many share a host. */
function speaksOfHost(outcome: SendOutcome): boolean {
  if (outcome.kind !== 'retry') return false;
  const { status } = outcome.receipt;
  return status === null || status >= 500 || TOO_MUCH.has(status);
}
