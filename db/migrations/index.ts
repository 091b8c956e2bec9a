import { usersAndKeys } from './0001-users-and-keys.ts';
import { jobs } from './0002-jobs.ts';
import { results } from './0003-results.ts';
import { events } from './0004-events.ts';
import { workers } from './0005-workers.ts';
import { deadLetters } from './0006-dead-letters.ts';
import { renderVerdicts } from './0008-render-verdicts.ts';
import { artifacts } from './0011-artifacts.ts';

/** Forward only, one intention each, in order. A name that was released is never changed. */
export interface Migration {
  name: string;
  up: string;
}

export const MIGRATIONS: Migration[] = [
  usersAndKeys,
  jobs,
  results,
  events,
  workers,
  deadLetters,
  renderVerdicts,
  artifacts,
];
