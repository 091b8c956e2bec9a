import { z } from 'zod';
import { jobFilter, metadataFilter } from '../jobs/job-queries.ts';
import { queryBoolean, queryInt, string } from '../schema-primitives.ts';

/** Requests that delete, and queries about deletions. */

/** Body of `POST /jobs/delete`: the filters of `GET /jobs`. */
export const deleteJobsRequest = z
  .strictObject({
    ...jobFilter,
    metadata: metadataFilter.optional(),
    /** Whose jobs; for admins. Default: the caller's. */
    user_id: z.uuid().optional(),
    dry_run: z.boolean().default(false),
  })
  // An empty one would delete all.
  .refine(
    ({ metadata, user_id: _user, dry_run: _dry, ...others }) =>
      Object.values(others).some((value) => value !== undefined) || Object.keys(metadata ?? {}).length > 0,
    'expected at least one of status, created_after, created_before, metadata',
  );

/** Query of the routes that delete one thing. */
export const deleteQuery = z.strictObject({ dry_run: queryBoolean.default(false) });

export const listDeletionsQuery = z.strictObject({
  limit: queryInt(1, 200).default(50),
  cursor: string(500).optional(),
});
