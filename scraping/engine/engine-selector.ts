import type { ErrorInfo } from '../../core/errors.ts';
import type { AnsweredPage, FetchedPage } from '../http/http-fetch.ts';
import { type HtmlSignals, htmlSignals } from '../response/html-signals.ts';
import { refreshTarget } from '../response/refresh.ts';
import { detectBlock, isConsentWall } from './block-detection.ts';
import type { RenderingType } from './rendering-type-cache.ts';

/** Why `render: auto` loads a page in the browser that was fetched by plain HTTP first. */
export interface BrowserReason {
  why:
    | 'challenge'
    | 'consent'
    | 'refused'
    | 'no_answer'
    | 'redirects_itself'
    | 'script_drawn'
    | 'asks_for_javascript'
    | 'fragment_route'
    | 'framed';
  /** May be wrong: ignored for a host on which the browser added nothing to such a page. */
  isGuess: boolean;
  /** Likely true for other pages of the host. */
  isHostWide: boolean;
}

const REASONS = {
  challenge: { isGuess: false, isHostWide: true },
  consent: { isGuess: true, isHostWide: true },
  refused: { isGuess: true, isHostWide: true },
  no_answer: { isGuess: true, isHostWide: true },
  redirects_itself: { isGuess: false, isHostWide: false },
  script_drawn: { isGuess: true, isHostWide: true },
  asks_for_javascript: { isGuess: true, isHostWide: true },
  fragment_route: { isGuess: false, isHostWide: false },
  framed: { isGuess: true, isHostWide: false },
} as const satisfies Record<BrowserReason['why'], Omit<BrowserReason, 'why'>>;

const because = (why: BrowserReason['why']): BrowserReason => ({ why, ...REASONS[why] });

/** Pure. Null: the page fetched by plain HTTP is complete. */
export function needsBrowser(fetched: FetchedPage): BrowserReason | null {
  if (fetched.kind === 'failed') {
    // A server may reject our HTTP client and accept a browser. Other failures are the same for
    // both.
    return HTTP_MAY_BE_REJECTED.has(fetched.error.code) ? because('no_answer') : null;
  }
  if (fetched.kind === 'unreadable') return null;
  if (fetched.documentKind !== 'html')
    return refreshesElsewhere(fetched, null) ? because('redirects_itself') : null;
  if (fetched.isCut) return because('no_answer');
  const signals = htmlSignals(fetched.html);
  if (detectBlock(fetched, signals)) return because('challenge');
  if (fetched.status === 403 || fetched.status === 401)
    return fetched.status === 403 ? because('refused') : null;
  // Errors are the same for a browser; and a rate limiting server must not get a second request.
  if (fetched.status >= 400 || NO_CONTENT.has(fetched.status)) return null;
  if (refreshesElsewhere(fetched, signals) || scriptRedirects(signals)) return because('redirects_itself');
  if (/^#!?\//.test(new URL(fetched.url).hash) && signals.executableScripts > 0)
    return because('fragment_route');
  if (isConsentWall(fetched, signals)) return because('consent');
  if (asksForJavaScript(signals)) return because('asks_for_javascript');
  if (isScriptDrawn(signals)) return because('script_drawn');
  // Its content is likely in the frames, which may be of other sites, or drawn by scripts.
  if (signals.frames.length > 0 && signals.textLength < SUBSTANTIAL) return because('framed');
  return null;
}

const refreshesElsewhere = ({ url, status, headers }: AnsweredPage, markup: HtmlSignals | null): boolean =>
  status < 400 && refreshTarget({ url, header: headers.refresh, markup }) !== null;

const HTTP_MAY_BE_REJECTED = new Set(['connection_failed', 'tls_failed', 'page_timeout']);
const NO_CONTENT = new Set([204, 205, 304]);

/**
 * Characters of text: at most a title and a spinner; less than a page with content has; enough to
 * ignore what scripts may add.
 */
const NEXT_TO_NOTHING = 50;
const SPARSE = 200;
const SUBSTANTIAL = 800;

const scriptRedirects = ({ scriptRedirect, textLength }: HtmlSignals) =>
  scriptRedirect && textLength < SPARSE;

const ASKS =
  /(enable|activate|turn on|allow|require[sd]?|need(?:s|ed)?|without|disabled|aktivier\w{0,9}|activer|active[rz]?|habilit\w{1,9}|ativ[ae]\w{0,9}|abilit\w{1,9}|включите|włącz\w{0,9}|inschakelen|有効)[^.!?]{0,60}java ?script|java ?script[^.!?]{0,60}(enabled?|required|disabled|turned off|aktivier\w*|deaktivier\w*|désactivé|activé|desactivado|habilitado|отключ\w+|включ\w+|無効|有効|启用|必要)/i;

function asksForJavaScript({ text, textLength, noscriptText }: HtmlSignals): boolean {
  return textLength < SUBSTANTIAL && (ASKS.test(text) || ASKS.test(noscriptText));
}

function isScriptDrawn(signals: HtmlSignals): boolean {
  const { textLength, executableScripts, emptyMounts, placeholders } = signals;
  if (executableScripts === 0) return false;
  // An empty mount element and little text around it.
  if (emptyMounts > 0 && textLength < SUBSTANTIAL) return true;
  if (placeholders >= 3) return true;
  if (textLength < NEXT_TO_NOTHING) return true;
  return textLength < SPARSE && (signals.moduleScripts > 0 || signals.stateScripts > 0);
}

/** Whether the browser rendered content that plain HTTP did not have. */
export function browserAddedContent({
  before,
  after,
  error,
}: {
  before: HtmlSignals | null;
  after: HtmlSignals | null;
  error: ErrorInfo | null;
}): boolean {
  if (error !== null || after === null) return false;
  if (before === null) return true;
  const gained = after.textLength - before.textLength;
  return gained >= SPARSE || gained > Math.max(20, before.textLength / 2);
}

/** One page that needs a browser may be an exception on its host; two in a row are not. */
const SURE_STREAK = 2;
const FIRST_RECHECK_MS = 60 * 60_000;
const LAST_RECHECK_MS = 7 * 24 * 60 * 60_000;

/**
 * The engine recorded for a host, if the record is reliable and fresh. Hosts change: a record is
 * rechecked after an hour, and after twice as long each time it holds, up to a week.
 */
export function knownEngine(renderingType: RenderingType | null): RenderingType['engine'] | null {
  if (renderingType === null) return null;
  const recheckMs = Math.min(
    LAST_RECHECK_MS,
    FIRST_RECHECK_MS * 2 ** Math.max(0, renderingType.streak - SURE_STREAK),
  );
  if (renderingType.ageMs > recheckMs) return null;
  return renderingType.engine === 'http' || renderingType.streak >= SURE_STREAK ? renderingType.engine : null;
}
