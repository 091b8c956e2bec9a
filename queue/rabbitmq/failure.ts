/** Why the broker cannot be used, told by what a person can do about it. */
export interface Failure {
  event: 'broker_unreachable' | 'broker_refused' | 'broker_conflict';
  /** An unreachable broker comes back; the others wait for a person. */
  level: 'warn' | 'error';
  reason: string;
}

export function explainFailure(error: unknown): Failure {
  const text = messageOf(error);
  if (/\b403\b|ACCESS[_-]REFUSED/.test(text)) {
    return {
      event: 'broker_refused',
      level: 'error',
      reason: `wrong user, password or permissions: ${text}`,
    };
  }
  if (/\b530\b|NOT[_-]ALLOWED/.test(text)) {
    return {
      event: 'broker_refused',
      level: 'error',
      reason: `no such virtual host, or no access to it: ${text}`,
    };
  }
  if (/\b406\b|PRECONDITION[_-]FAILED/.test(text)) {
    return {
      event: 'broker_conflict',
      level: 'error',
      reason: `the broker has this queue or exchange with other arguments; delete it there: ${text}`,
    };
  }
  return { event: 'broker_unreachable', level: 'warn', reason: text };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node refuses `localhost` with an AggregateError, whose own message is empty.
  return error.message || String((error as { code?: unknown }).code ?? error.name);
}
