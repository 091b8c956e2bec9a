import type { Migration } from './index.ts';

/** For mails about a job, which lead to its results where its owner shares them. */
export const sharesByJob: Migration = {
  name: '0025-shares-by-job',
  up: 'CREATE INDEX links_shares_by_job ON links (job_id) WHERE share AND deleted_at IS NULL',
};
