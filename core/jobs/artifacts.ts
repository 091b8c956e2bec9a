/** Key of a binary result of a page. A repeated run writes the same key. */
export interface ArtifactKey {
  jobId: string;
  position: number;
  /** Such as `screenshot.png`: letters, digits, `.`, `-` and `_`. */
  name: string;
}

/** Object storage for screenshots and PDFs. The database knows which exist and whose they are. */
export interface ArtifactStore {
  /** Resolves when it is stored; replaces an earlier one. */
  put(key: ArtifactKey, artifact: { contentType: string; body: Buffer }): Promise<void>;
  /** Null if it does not exist. */
  get(key: ArtifactKey): Promise<Buffer | null>;
  /** Idempotent. */
  delete(key: ArtifactKey): Promise<void>;
  /** Deletes all artifacts of a job, also those the database does not list. Idempotent. */
  deleteJob(jobId: string): Promise<void>;
}
