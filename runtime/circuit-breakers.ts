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

/** A circuit breaker a key, such as a host: one that fails again and again is left alone, others are not. */
export interface CircuitBreakers<Outcome extends object> {
  /** Does the work, or answers null at once where its circuit is open. What the work throws says nothing of the key. */
  run(key: string, work: () => Promise<Outcome>): Promise<Outcome | null>;
}

export interface CircuitBreakerOptions<Outcome> {
  /** Whether this outcome speaks against its key. Any other forgives what was before. */
  isFailure(outcome: Outcome): boolean;
  /** In a row. */
  failuresToOpen: number;
  /** Until one piece of work tries whether it is back; doubled by each that fails, up to `LONGEST_PAUSE_MS`. */
  firstPauseMs: number;
  onChange(key: string, open: boolean): void;
}

const LONGEST_PAUSE_MS = 5 * 60_000;
/** The least lately used are forgotten: then they are closed. */
const KEYS = 5000;

export function createCircuitBreakers<Outcome extends object>(rules: CircuitBreakerOptions<Outcome>): CircuitBreakers<Outcome> {
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
