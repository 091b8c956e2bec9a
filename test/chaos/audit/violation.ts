/** Something that was promised and did not hold. */
export interface Violation {
  kind: string;
  detail: string;
  job?: string | undefined;
}

/** States a job leaves only when its user says so, if at all. */
export const FINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);
