import type { ScrapeRequest } from '../../core/jobs/job-schemas.ts';
import type { Artifact, Page } from '../../core/jobs/page.ts';

/** What a fetch engine gives for one URL, whichever engine it was. */
export interface ScrapedPage {
  /** Without the paths of its artifacts: those are known where they are stored. */
  page: Page;
  artifacts: Artifact[];
  /** How long the server asks to be left alone, with the page or instead of it. */
  retryAfterMs: number | null;
}

/** The fields of a job's request that say how one of its pages is fetched and read. */
export type ScrapeSpec = Pick<
  ScrapeRequest,
  | 'formats'
  | 'main_content'
  | 'extract'
  | 'render'
  | 'actions'
  | 'headers'
  | 'timeout_ms'
  | 'urls'
  | 'cookies'
  | 'viewport'
  | 'locale'
  | 'timezone'
  | 'mobile'
  | 'proxy'
>;
