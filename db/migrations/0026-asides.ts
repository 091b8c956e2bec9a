import type { Migration } from './index.ts';

/** How often a job has stepped aside for a more urgent one: whoever marks it as dispatched says which of its dispatches that was. */
export const asides: Migration = {
  name: '0026-asides',
  up: 'ALTER TABLE jobs ADD COLUMN asides int NOT NULL DEFAULT 0',
};
