import type { JobSpec } from '../../../core/jobs/job.ts';
import { wantsLeads } from '../../../scraping/leads/query.ts';
import type { Scrape } from '../execution.ts';

export type JobKind = 'pages' | 'crawl' | 'leads';

/** What a job asks for: a site, leads, or a list of pages. */
export function kindOfJob(spec: JobSpec): JobKind {
  if (spec.urls && (spec.crawl || spec.map)) return 'crawl';
  return wantsLeads(spec) ? 'leads' : 'pages';
}

/** Who does the jobs of each kind. */
export const createJobRegistry =
  (implementations: Record<JobKind, Scrape>): ((spec: JobSpec) => Scrape) =>
  (spec) =>
    implementations[kindOfJob(spec)];
