import type { ErrorInfo } from '../../../core/errors.ts';
import type { Artifact, Page } from '../../../core/jobs/page.ts';
import type { ScrapedPage } from '../../../scraping/fetching/page.ts';

type NamedArtifact = Artifact & { name: string };

/** A page as its user gets it: with the paths under which its pictures and documents are served. */
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

/** The record of a page that was not asked for. */
export function pageNotLoaded(url: string, error: ErrorInfo): ScrapedPage {
  const page: Page = {
    ...{ url, final_url: null, status_code: null, content_type: null, title: null },
    ...{ engine: 'http', fetched_at: new Date().toISOString(), duration_ms: 0, error },
  };
  return { page, artifacts: [], retryAfterMs: null };
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
    return { ...artifact, name: NAMES[artifact.kind](actions) };
  });
}
