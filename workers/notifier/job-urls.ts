import type { Sql } from '../../db/connect.ts';
import { findShares } from '../../db/links/links.ts';
import type { Logger } from '../../runtime/log/logger.ts';

/** The URL that a notification links to, by job id. */
export type JobUrls = (jobIds: string[]) => Promise<Map<string, string>>;

/**
 * The short link of the results if their owner shares them: the reader of a mail has no API key at
 * hand. The job in the API if nothing is shared or the look-up fails: a mail does not wait for it.
 */
export const createJobUrls =
  ({ sql, publicUrl, logger }: { sql: Sql; publicUrl: string; logger: Logger }): JobUrls =>
  async (jobIds) => {
    const shares = await findShares(sql, jobIds).catch((error) => {
      logger.warn('shares_not_looked_up', { error });
      return new Map<string, string>();
    });
    return new Map(
      jobIds.map((id) => {
        const code = shares.get(id);
        return [id, code === undefined ? `${publicUrl}/api/v1/jobs/${id}` : `${publicUrl}/r/${code}`];
      }),
    );
  };
