import type { ErrorInfo } from '../../core/errors.ts';

/**
 * How we behave towards hosts: robots.txt, so many pages at once, a gap between them, and a pause where a host asks for one. It holds
 * for all workers together, so whoever implements it shares what it knows with them.
 *
 * Asked before each page of a job, each robots.txt and each sitemap, and again before a page goes on to another address, by redirects
 * or by itself. What a page loads into itself is not asked for.
 */
export interface Manners {
  /**
   * Waits a moment for its turn if need be, two seconds at most.
   * @throws the signal's reason
   */
  admit(url: string, signal: AbortSignal, options?: AdmitOptions): Promise<Admission>;
}

export interface AdmitOptions {
  /** The job was told to come back before: it goes before jobs that were not. */
  isBack?: boolean;
}

export type Admission =
  /** Fetch it now, and say when that is over. */
  { kind: 'go'; follow(url: string): Promise<Onward>; done(result?: VisitResult): void } | Hindrance;

/** Whether a page under way may go on to an address. A turn taken at another host for it is held until the page is `done`. */
export type Onward = { kind: 'go' } | Hindrance;

export type Hindrance =
  /** Not now: come back in about so long, and do something else meanwhile. */
  | { kind: 'wait'; ms: number }
  /** Not at all: `robots_disallowed`; or robots.txt could not be read, for a reason that may pass. */
  | { kind: 'disallowed'; error: ErrorInfo };

export interface VisitResult {
  /** The host asked to be left alone for so long, see `retryAfterMs`. */
  pauseMs?: number;
  /** Which, where the page went on to another. */
  host?: string;
}

/**
 * Asked with each address that a page goes on to, before it does.
 * @throws PageFailure where it must not
 */
export type MayFollow = (url: string) => Promise<void>;

/** Whoever asks for more is asked again after that. */
const LONGEST_PAUSE_MS = 60 * 60_000;

/**
 * How long a host asks to be left alone: `Retry-After` of an answer 429 or 503, in seconds or as a date (RFC 9110, 10.2.3).
 *
 * @param headers by lower-case name. A date is compared with the answer's own `Date`: no clock of ours is asked
 * @returns null where it does not ask
 */
export function retryAfterMs(
  status: number,
  headers: Readonly<Record<string, string | null | undefined>>,
): number | null {
  const value = headers['retry-after']?.trim();
  if ((status !== 429 && status !== 503) || !value) return null;
  const ms = /^\d+(\.\d+)?$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - Date.parse(headers.date ?? '');
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS);
}

/** The product token of a User-Agent, by which robots.txt knows it: `LeadEngine` of `LeadEngine/1.0 (+https://…)`. */
export function productTokenOf(userAgent: string): string {
  // Ours stands last in those that begin as browsers' do, for the sake of servers that expect it.
  const tokens = [...userAgent.replace(/\([^)]*\)/g, ' ').matchAll(/(?:^|\s)([a-z_-]+)(?=\/|\s|$)/gi)];
  const own = tokens.map(([, token = '']) => token).filter((token) => !BROWSERS.test(token));
  return own.at(0) ?? tokens[0]?.[1] ?? '';
}

const BROWSERS =
  /^(mozilla|applewebkit|gecko|chrome|chromium|headlesschrome|safari|mobile|version|firefox|edg)$/i;
