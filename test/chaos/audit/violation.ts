/** A promise that did not hold. */
export interface Violation {
  kind: string;
  detail: string;
  job?: string | undefined;
}

/** States a job leaves only by a request of its user, if at all. */
export const FINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);
