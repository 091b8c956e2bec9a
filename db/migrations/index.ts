import { usersAndKeys } from './0001-users-and-keys.ts';
import { jobs } from './0002-jobs.ts';
import { results } from './0003-results.ts';
import { events } from './0004-events.ts';
import { workers } from './0005-workers.ts';
import { deadLetters } from './0006-dead-letters.ts';
import { hosts } from './0007-hosts.ts';
import { renderVerdicts } from './0008-render-verdicts.ts';
import { crawl } from './0009-crawl.ts';
import { leads } from './0010-leads.ts';
import { artifacts } from './0011-artifacts.ts';
import { eventReaders } from './0012-event-readers.ts';
import { subscriptions } from './0013-subscriptions.ts';
import { notifications } from './0014-notifications.ts';
import { links } from './0020-links.ts';
import { clicks } from './0021-clicks.ts';
import { statistics } from './0022-statistics.ts';
import { undelivered } from './0023-undelivered.ts';
import { visitorEdges } from './0024-visitor-edges.ts';
import { sharesByJob } from './0025-shares-by-job.ts';
import { asides } from './0026-asides.ts';
import { egressRefusals } from './0027-egress-refusals.ts';

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
  hosts,
  renderVerdicts,
  crawl,
  leads,
  artifacts,
  eventReaders,
  subscriptions,
  notifications,
  links,
  clicks,
  statistics,
  undelivered,
  visitorEdges,
  sharesByJob,
  asides,
  egressRefusals,
];
