import type { BrowserContext, BrowserContextOptions } from 'playwright';
import type { JobCookie } from '../../core/jobs/job-schemas.ts';
import type { ScrapeSpec } from '../fetching/page.ts';
import { devices } from './process/playwright.ts';
import type { SessionOptions } from './session.ts';

/** The browser context options of a job. */
export function sessionOptions(spec: ScrapeSpec, tabs: number): SessionOptions {
  return {
    tabs,
    identity: identityOf(spec),
    cookies: cookiesOf(spec),
    proxies: typeof spec.proxy === 'string' ? [spec.proxy] : spec.proxy,
  };
}

const PHONE = devices['Pixel 7'];

/** Undefined: a pre-opened context can be used. */
function identityOf({ viewport, locale, timezone, mobile }: ScrapeSpec): BrowserContextOptions | undefined {
  if (!viewport && !locale && !timezone && !mobile) return undefined;
  const { viewport: screen, userAgent, deviceScaleFactor, isMobile, hasTouch } = PHONE ?? {};
  return {
    ...(mobile && screen ? { viewport: screen, userAgent, deviceScaleFactor, isMobile, hasTouch } : {}),
    ...(viewport ? { viewport } : {}),
    ...(locale ? { locale } : {}),
    ...(timezone ? { timezoneId: timezone } : {}),
  };
}

type BrowserCookie = Parameters<BrowserContext['addCookies']>[0][number];

/** A cookie without a domain is set for the hosts of the job's own URLs only. */
function cookiesOf({ cookies = [], urls = [] }: ScrapeSpec): BrowserCookie[] {
  return cookies.flatMap((cookie) => {
    const { domain, path } = cookie;
    if (domain) return [browserCookie(cookie, domain, path ?? '/', cookie.secure ?? false)];
    const sites = new Map((cookie.url ? [cookie.url] : urls).map((url) => [new URL(url).hostname, url]));
    return [...sites].map(([hostname, url]) =>
      browserCookie(cookie, hostname, path ?? '/', cookie.secure ?? new URL(url).protocol === 'https:'),
    );
  });
}

const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const;

const browserCookie = (cookie: JobCookie, domain: string, path: string, secure: boolean): BrowserCookie => ({
  ...{ name: cookie.name, value: cookie.value, domain, path, secure },
  ...(cookie.expires === undefined ? {} : { expires: cookie.expires }),
  ...(cookie.http_only === undefined ? {} : { httpOnly: cookie.http_only }),
  ...(cookie.same_site === undefined ? {} : { sameSite: SAME_SITE[cookie.same_site] }),
});
