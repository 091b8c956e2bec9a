import type { ClaimedJob, JobSpec } from '../../../core/jobs/job.ts';
import { wantsLeads } from '../../../scraping/leads/query.ts';
import type { Allowance } from '../allowance.ts';
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

/** Maps a job to the implementation of its kind, which begins if its user has pages left. */
export const createJobRegistry = (
  implementations: Record<JobKind, Scrape>,
  allowance: Pick<Allowance, 'require' | 'requireLikely'>,
): ((spec: JobSpec) => Scrape) => {
  const within =
    (scrape: Scrape, check: (job: ClaimedJob) => Promise<void>): Scrape =>
    async (job, ...rest) => {
      await check(job);
      return scrape(job, ...rest);
    };
  const { pages, crawl, leads } = implementations;
  const checked = {
    pages: within(pages, allowance.requireLikely),
    crawl: within(crawl, allowance.requireLikely),
    // Only pages that are stored are refused one by one.
    leads: within(leads, allowance.require),
  };
  return (spec) => checked[kindOfJob(spec)];
};
