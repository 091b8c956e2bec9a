import type { Migration } from './migration.ts';

/** Whether a worker's browser is confined: 'on', or why it is not. */
export const workerSandbox: Migration = {
  name: '0015-worker-sandbox',
  sql: `
    ALTER TABLE workers ADD COLUMN sandbox text;
  `,
};
