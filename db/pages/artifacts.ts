import type { Sql } from '../connect.ts';
import { statement } from '../statement.ts';

/**
 * What the database stores about screenshots and PDFs of pages. `body` is null if it is in the
 * artifact store.
 */
export interface ArtifactRow {
  contentType: string;
  body: Buffer | null;
}

export async function findArtifact(
  sql: Sql,
  jobId: string,
  position: number,
  name: string,
): Promise<ArtifactRow | null> {
  const [row] = await sql.query<ArtifactRow>(FIND_ARTIFACT, [jobId, position, name]);
  return row ?? null;
}

const FIND_ARTIFACT = statement(
  'find_artifact',
  `SELECT content_type AS "contentType", body FROM artifacts WHERE job_id = $1 AND position = $2 AND name = $3`,
);

/** Call it before the first artifact of a job is written to the store. */
export async function openArtifactFolder(sql: Sql, jobId: string): Promise<void> {
  await sql.query(OPEN_FOLDER, [jobId]);
}

const OPEN_FOLDER = statement(
  'open_artifact_folder',
  `
  INSERT INTO artifact_folders (name, job_id) SELECT $1::uuid, (SELECT id FROM jobs WHERE id = $1)
  ON CONFLICT (name) DO NOTHING
  `,
);

/** Deleted jobs whose folders still exist in the store. */
export async function listAbandonedFolders(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(LIST_ABANDONED_FOLDERS, [limit]);
  return rows.map(({ id }) => id);
}

const LIST_ABANDONED_FOLDERS = statement(
  'list_abandoned_artifact_folders',
  `
  SELECT name AS id FROM artifact_folders WHERE job_id IS NULL ORDER BY name LIMIT $1
  `,
);

/** Call it once a folder is empty. */
export async function forgetArtifactFolder(sql: Sql, jobId: string): Promise<void> {
  await sql.query(FORGET_FOLDER, [jobId]);
}

const FORGET_FOLDER = statement('forget_artifact_folder', 'DELETE FROM artifact_folders WHERE name = $1');
