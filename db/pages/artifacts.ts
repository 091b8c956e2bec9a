import type { ArtifactKey } from '../../core/jobs/artifacts.ts';
import type { Sql } from '../connect.ts';
import { countGone } from '../deletions/deletions.ts';
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

/**
 * Deleted jobs whose folders still exist in the store, but for those that a deletion empties, and
 * those that may still be written to.
 */
export async function listAbandonedFolders(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(LIST_ABANDONED_FOLDERS, [limit]);
  return rows.map(({ id }) => id);
}

const LIST_ABANDONED_FOLDERS = statement(
  'list_abandoned_artifact_folders',
  `
  SELECT name AS id FROM artifact_folders
  WHERE job_id IS NULL AND deletion_id IS NULL AND (empty_again_at IS NULL OR empty_again_at < now())
  ORDER BY name LIMIT $1
  `,
);

/** Call it once a folder is empty. */
export async function forgetArtifactFolder(sql: Sql, jobId: string): Promise<void> {
  await sql.query(FORGET_FOLDER, [jobId]);
}

const FORGET_FOLDER = statement('forget_artifact_folder', 'DELETE FROM artifact_folders WHERE name = $1');

/** Folders of deleted jobs that a deletion has to empty. */
export async function listFoldersOfDeletion(sql: Sql, deletionId: string, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(LIST_FOLDERS_OF_DELETION, [deletionId, limit]);
  return rows.map(({ id }) => id);
}

const LIST_FOLDERS_OF_DELETION = statement(
  'list_artifact_folders_of_deletion',
  'SELECT name AS id FROM artifact_folders WHERE deletion_id = $1 AND job_id IS NULL ORDER BY name LIMIT $2',
);

/** Counts a folder that is empty, and forgets it unless it may still be written to. */
export async function closeFolderOfDeletion(sql: Sql, deletionId: string, jobId: string): Promise<void> {
  await sql.query(CLOSE_FOLDER_OF_DELETION, [deletionId, jobId]);
}

const CLOSE_FOLDER_OF_DELETION = statement(
  'close_artifact_folder_of_deletion',
  `
  WITH emptied AS (
    UPDATE artifact_folders SET deletion_id = NULL
    WHERE name = $2 AND deletion_id = $1 AND empty_again_at IS NOT NULL RETURNING name
  ), forgotten AS (
    DELETE FROM artifact_folders WHERE name = $2 AND deletion_id = $1 AND empty_again_at IS NULL RETURNING name
  ), gone AS (SELECT name FROM emptied UNION ALL SELECT name FROM forgotten), ${countGone('artifact_folders')}
  SELECT name FROM gone
  `,
);

/** Objects in the store whose pages a deletion removed. */
export const listLeftovers = (sql: Sql, deletionId: string, limit: number): Promise<ArtifactKey[]> =>
  sql.query<ArtifactKey>(LIST_LEFTOVERS, [deletionId, limit]);

const LIST_LEFTOVERS = statement(
  'list_artifact_leftovers',
  'SELECT job_id AS "jobId", position, name FROM artifact_leftovers WHERE deletion_id = $1 LIMIT $2',
);

/** Call it once the object is deleted. */
export async function forgetLeftover(sql: Sql, deletionId: string, key: ArtifactKey): Promise<void> {
  await sql.query(FORGET_LEFTOVER, [deletionId, key.jobId, key.position, key.name]);
}

const FORGET_LEFTOVER = statement(
  'forget_artifact_leftover',
  `
  WITH gone AS (
    DELETE FROM artifact_leftovers WHERE deletion_id = $1 AND job_id = $2 AND position = $3 AND name = $4 RETURNING 1
  ), ${countGone('artifacts')}
  SELECT count(*) FROM gone
  `,
);
