import type { ScrapeRequest } from '../../core/jobs/job-schemas.ts';
import type { Artifact, Page } from '../../core/jobs/page.ts';
import type { UrlLogin } from '../../core/url-login.ts';

/** A page as it was read. */
export type ReadPage = Page & {
  /** Only if the spec asks for it, and never stored: hash of what it has beside text and links. */
  likeness?: string;
};

/** The result of fetching one URL, by either engine. */
export interface ScrapedPage {
  /** Without the paths of its artifacts, which are set when they are stored. */
  page: ReadPage;
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
> & {
  /** Whether the page gets a `likeness`, for crawls. */
  likeness?: boolean;
  /** User names and passwords of sites: each is sent to its own origin alone. */
  logins?: readonly UrlLogin[];
};
