import type { JobSpec } from '../../../core/jobs/job.ts';
import { wantsLeads } from '../../../scraping/leads/query.ts';
import type { Scrape } from '../execution.ts';

export type JobKind = 'pages' | 'crawl' | 'leads';

/** The kind of a job: a crawl or map of a site, leads, or a list of pages. */
function kindOfJob(spec: JobSpec): JobKind {
  if (spec.urls && (spec.crawl || spec.map)) return 'crawl';
  return wantsLeads(spec) ? 'leads' : 'pages';
}

/**
 * An implementation that is loaded with the first job of its kind: a worker that never searches for
 * leads does not pay for it at each start.
 */
export function loadedOnUse(load: () => Promise<Scrape>): Scrape {
  let loaded: Promise<Scrape> | undefined;
  return async (...args) => {
    loaded ??= load();
    return (await loaded)(...args);
  };
}

/** Maps a job to the implementation of its kind. */
export const createJobRegistry =
  (implementations: Record<JobKind, Scrape>): ((spec: JobSpec) => Scrape) =>
  (spec) =>
    implementations[kindOfJob(spec)];
