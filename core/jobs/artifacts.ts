/** Where a binary result of a page lies. Done twice, it is the same place. */
export interface ArtifactKey {
  jobId: string;
  position: number;
  /** Such as `screenshot.png`: letters, digits, `.`, `-` and `_`. */
  name: string;
}

/** A place for pictures and documents outside of the database. What there is, and for whom, the database knows. */
export interface ArtifactStore {
  /** Resolves once it is kept; what was there before is replaced. */
  put(key: ArtifactKey, artifact: { contentType: string; body: Buffer }): Promise<void>;
  /** Null: it is not there. */
  get(key: ArtifactKey): Promise<Buffer | null>;
  /** Everything of a job, also what nobody knows of any more. Twice is safe. */
  deleteJob(jobId: string): Promise<void>;
}
