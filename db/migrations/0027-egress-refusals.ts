import type { Migration } from './index.ts';

/** How often jobs and webhooks asked for what is not to be reached, over all processes and for good. */
export const egressRefusals: Migration = {
  name: '0027-egress-refusals',
  up: 'CREATE TABLE egress_refusals (reason text PRIMARY KEY, count bigint NOT NULL)',
};
