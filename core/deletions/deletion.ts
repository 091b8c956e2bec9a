/** What a deletion removes: its kind decides how the work is found. */
export const DELETION_KINDS = ['jobs', 'leads', 'user', 'erasure'] as const;
export type DeletionKind = (typeof DELETION_KINDS)[number];

/** Counts by what was counted, such as `jobs`, `pages` or `artifacts`. */
export type DeletionCounts = Record<string, number>;

/** A deletion as it is shown: the proof of what was removed, without what it was. */
export interface Deletion {
  deletion_id: string;
  kind: DeletionKind;
  state: 'running' | 'completed';
  /** Whose data; null: those of all users. */
  user_id: string | null;
  requested_by: string;
  /** Of the deletion of one job. */
  job_id: string | null;
  /** What there was when it was requested, as far as it could be counted. */
  planned: DeletionCounts;
  /** What is removed so far. */
  removed: DeletionCounts;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}
