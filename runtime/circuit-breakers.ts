import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhenResult,
  isBrokenCircuitError,
} from 'cockatiel';
import { LRUCache } from 'lru-cache';

/** A circuit breaker per key, such as a host. */
export interface CircuitBreakers<Outcome extends object> {
  /**
   * Runs the work; resolves with null at once if the key's circuit is open. A rejection does not
   * count.
   */
  run(key: string, work: () => Promise<Outcome>): Promise<Outcome | null>;
}

export interface CircuitBreakerOptions<Outcome> {
  /** Whether this outcome counts as a failure. Any other resets the count. */
  isFailure(outcome: Outcome): boolean;
  /** Consecutive failures that open the circuit. */
  failuresToOpen: number;
  /** Until one run tests the key; doubled by each failed test, up to `LONGEST_PAUSE_MS`. */
  firstPauseMs: number;
  onChange(key: string, open: boolean): void;
}

const LONGEST_PAUSE_MS = 5 * 60_000;
/** Least recently used keys are evicted, which closes their circuits. */
const KEYS = 5000;

export function createCircuitBreakers<Outcome extends object>(
  rules: CircuitBreakerOptions<Outcome>,
): CircuitBreakers<Outcome> {
  const circuits = new LRUCache<string, CircuitBreakerPolicy>({ max: KEYS });

  const circuitOf = (key: string): CircuitBreakerPolicy => {
    let circuit = circuits.get(key);
    if (!circuit) {
      circuit = circuitBreaker(
        handleWhenResult((outcome) => rules.isFailure(outcome as Outcome)),
        {
          breaker: new ConsecutiveBreaker(rules.failuresToOpen),
          halfOpenAfter: new ExponentialBackoff({
            initialDelay: rules.firstPauseMs,
            maxDelay: LONGEST_PAUSE_MS,
          }),
        },
      );
      circuit.onStateChange((state) => {
        if (state === CircuitState.Open) rules.onChange(key, true);
        if (state === CircuitState.Closed) rules.onChange(key, false);
      });
      circuits.set(key, circuit);
    }
    return circuit;
  };

  return {
    run: async (key, work) => {
      try {
        return await circuitOf(key).execute(work);
      } catch (error) {
        if (isBrokenCircuitError(error)) return null;
        throw error;
      }
    },
  };
}
