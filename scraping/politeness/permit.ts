import type { ErrorInfo } from '../../core/errors.ts';
import { type PageErrorCode, PageFailure } from '../../core/jobs/page-errors.ts';

/**
 * What an engine is handed with the page it fetches. The page's first address is granted already; before the page goes on to any
 * other, by redirects or by itself, the engine asks. What a page loads into itself is not asked for.
 */
export interface RedirectPermission {
  follow(url: string): Promise<RedirectDecision>;
}

export type RedirectDecision = { kind: 'granted' } | Denied;

export type Denied =
  /** Not now: come back in about this long, and do something else meanwhile. */
  | { kind: 'wait'; ms: number }
  /** Not at all: `robots_disallowed`; or robots.txt could not be read, for a reason that may pass. */
  | { kind: 'disallowed'; error: ErrorInfo };

/**
 * @throws PageFailure if the page must not go there. For `wait` its code does not matter: whoever holds the permit fetches the page
 *   again later.
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
