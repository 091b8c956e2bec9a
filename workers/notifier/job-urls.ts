import type { Sql } from '../../db/connect.ts';
import { findShares } from '../../db/links/links.ts';
import type { Logger } from '../../runtime/log/logger.ts';

/** Where a notification about each of these jobs leads. */
export type JobUrls = (jobIds: string[]) => Promise<Map<string, string>>;

/**
 * To the results its owner shares, by the short link: whoever reads a mail has no API key at hand. To the job in the API where nothing
 * is shared, or nobody can tell at the moment: a mail is not kept back for it.
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
