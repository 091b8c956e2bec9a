import { RetryableError } from '../../../core/errors.ts';
import type { ArtifactStore } from '../../../core/jobs/artifacts.ts';
import type { ClaimedJob } from '../../../core/jobs/job.ts';
import type { Artifact, Page } from '../../../core/jobs/page.ts';
import type { Database } from '../../../db/connect.ts';
import type { StoredPage } from '../../../db/jobs/run.ts';
import { openArtifactFolder } from '../../../db/pages/artifacts.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';
import { suppressInPage } from './suppress.ts';

// Screenshots and PDFs of a page: named, linked from the page, and uploaded before the page is
// stored.

type NamedArtifact = Artifact & { name: string; bytes: number };

/** Adds to a page the paths under which its artifacts are served. */
export function withArtifactPaths(
  jobId: string,
  position: number,
  { page, artifacts }: ScrapedPage,
): { page: Page; artifacts: NamedArtifact[] } {
  const named = nameArtifacts(artifacts);
  const pathOf = (name: string) => `/api/v1/jobs/${jobId}/artifacts/${position}/${name}`;
  const ofKind = (kind: Artifact['kind']) =>
    named.filter((artifact) => artifact.kind === kind).map(({ name }) => pathOf(name));
  const [screenshot] = ofKind('screenshot');
  const [pdf] = ofKind('pdf');
  const actionScreenshots = ofKind('action_screenshot');
  const withPaths: Page = {
    ...page,
    ...(screenshot ? { screenshot } : {}),
    ...(pdf ? { pdf } : {}),
    ...(actionScreenshots.length > 0 ? { action_screenshots: actionScreenshots } : {}),
  };
  return { page: withPaths, artifacts: named };
}

const NAMES: Record<Artifact['kind'], (number: number) => string> = {
  screenshot: () => 'screenshot.png',
  pdf: () => 'page.pdf',
  action_screenshot: (number) => `action-${number}.png`,
};

function nameArtifacts(artifacts: Artifact[]): NamedArtifact[] {
  let actions = 0;
  return artifacts.map((artifact) => {
    if (artifact.kind === 'action_screenshot') actions += 1;
    return { ...artifact, name: NAMES[artifact.kind](actions), bytes: artifact.body.byteLength };
  });
}

type WithArtifacts = Pick<StoredPage, 'position' | 'page' | 'artifacts'>;

/** Prepares a page to be stored: uploads the bodies of its artifacts, takes out suppressed contacts. */
export type UploadArtifacts = <T extends WithArtifacts>(job: ClaimedJob, page: T) => Promise<T>;

/**
 * Uploads bodies before the page that links them is stored. Uploading is idempotent; objects of a
 * worker that died are overwritten by the next attempt, or deleted with the job.
 *
 * @param store undefined: bodies are stored in the database with their page
 */
export function createUploadArtifacts(database: Database, store: ArtifactStore | undefined): UploadArtifacts {
  return async (job, scraped) => {
    const page = { ...scraped, page: await suppressInPage(database, job, scraped.page) };
    if (!store || page.artifacts.length === 0) return page;
    await openArtifactFolder(database, job.id);
    for (const { name, contentType, body } of page.artifacts) {
      const key = { jobId: job.id, position: page.position, name };
      try {
        if (body) await store.put(key, { contentType, body });
      } catch (cause) {
        throw new RetryableError('artifacts_unavailable', 'a screenshot or PDF could not be stored', {
          cause,
        });
      }
    }
    return { ...page, artifacts: page.artifacts.map((artifact) => ({ ...artifact, body: null })) };
  };
}
