import type { JobSpec } from '../../../core/jobs/job.ts';
import { wantsLeads } from '../../../scraping/leads/query.ts';
import type { Scrape } from '../execution.ts';

export type JobKind = 'pages' | 'crawl' | 'leads';

/** The kind of a job: a crawl or map of a site, leads, or a list of pages. */
function kindOfJob(spec: JobSpec): JobKind {
  if (spec.urls && (spec.crawl || spec.map)) return 'crawl';
  return wantsLeads(spec) ? 'leads' : 'pages';
}

/** Maps a job to the implementation of its kind. */
export const createJobRegistry =
  (implementations: Record<JobKind, Scrape>): ((spec: JobSpec) => Scrape) =>
  (spec) =>
    implementations[kindOfJob(spec)];
