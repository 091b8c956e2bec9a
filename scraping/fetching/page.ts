import type { ScrapeRequest } from '../../core/jobs/job-schemas.ts';
import type { Artifact, Page } from '../../core/jobs/page.ts';

/** The result of fetching one URL, by either engine. */
export interface ScrapedPage {
  /** Without the paths of its artifacts, which are set when they are stored. */
  page: Page;
  artifacts: Artifact[];
  /** Pause requested by the server's `Retry-After`, in milliseconds; null if there is none. */
  retryAfterMs: number | null;
}

/** The fields of a job's request that control how a page is fetched and extracted. */
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
