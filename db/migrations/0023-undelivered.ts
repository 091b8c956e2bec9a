import type { Migration } from './index.ts';

/**
 * What an endpoint did not take, newest first: among a million that it took, looking for it read them all (10 ms at a hundred thousand).
 * A pause asks the same, for what still waits.
 */
export const undelivered: Migration = {
  name: '0023-undelivered',
  up: `
    CREATE INDEX deliveries_undelivered ON deliveries (webhook_id, created_at DESC, id DESC)
      WHERE webhook_id IS NOT NULL AND status <> 'delivered';
  `,
};
