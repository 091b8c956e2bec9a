import type { ErrorInfo } from '../../core/errors.ts';
import { type PageErrorCode, PageFailure } from '../../core/jobs/page-errors.ts';

/**
 * Decides where a page may redirect or navigate to. The page's first URL is granted already; the
 * engine checks every further one. Subresources are not checked.
 */
export interface RedirectPermission {
  follow(url: string): Promise<RedirectDecision>;
}

export type RedirectDecision = { kind: 'granted' } | Denied;

export type Denied =
  /** Not now: retry in about `ms` milliseconds. */
  | { kind: 'wait'; ms: number }
  /** Denied: `robots_disallowed`; or robots.txt could not be read, which may be temporary. */
  | { kind: 'disallowed'; error: ErrorInfo };

/**
 * @throws PageFailure if the page must not go there. For `wait` its code does not matter: the
 *   caller that holds the permit retries the page.
 */
export function requireGranted(decision: RedirectDecision): void {
  switch (decision.kind) {
    case 'granted':
      return;
    case 'wait':
      throw new PageFailure('robots_unreadable');
    case 'disallowed':
      throw new PageFailure(decision.error.code as PageErrorCode, decision.error.message);
    default:
      decision satisfies never;
  }
}
