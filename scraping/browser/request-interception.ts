import { parseUrl } from '../../core/parse-url.ts';
import { authorizationFor, type UrlLogin } from '../../core/url-login.ts';
import { isOwnOrigin } from '../fetching/own-origin.ts';
import type { DocumentWatch } from './document-watch.ts';
import type { Tab } from './tab.ts';

export interface RequestOptions {
  /** The page's URL. */
  url: string;
  /** Added to requests to the page's origin. */
  headers: Record<string, string>;
  /** Added for their own origins only; `headers` override them. */
  logins?: readonly UrlLogin[] | undefined;
  blockMedia: boolean;
  /** Checked before each main-frame navigation; unset: all are allowed. */
  navigations?: Pick<DocumentWatch, 'allows'> | undefined;
  /** Style sheets are held until this resolves; a static page needs none. Unset: not held. */
  untilActive?: Promise<void> | undefined;
}

/** Sets up blocking and interception of a page's requests. Call before the tab navigates. */
export async function interceptRequests(tab: Tab, options: RequestOptions): Promise<void> {
  const hasHeaders = Object.keys(options.headers).length > 0 || (options.logins ?? []).length > 0;
  // A context authenticates to the proxy with its first document.
  const pausesDocuments = options.navigations !== undefined || !tab.client.isKnown;
  const some = options.untilActive ? 'documents and styles' : 'documents';
  const paused = hasHeaders ? 'all' : pausesDocuments ? some : null;
  if (paused) {
    continuePaused(tab, options);
    authenticateToProxy(tab);
  }
  await Promise.all([blockUrls(tab, options.blockMedia ? UNREAD : UNWANTED), pauseRequests(tab, paused)]);
}

/** Blocks URL patterns inside the browser: `page.route` would cost a round trip per request. */
export async function blockUrls(tab: Tab, urls: readonly string[]): Promise<void> {
  if (tab.blocked === urls) return;
  tab.blocked = urls;
  await tab.cdp.send('Network.setBlockedURLs', { urls: [...urls] });
}

/**
 * Pauses the chosen requests until they are continued: one round trip each. Kept from page to page.
 */
async function pauseRequests(tab: Tab, paused: Tab['paused']): Promise<void> {
  if (tab.paused === paused) return;
  tab.paused = paused;
  if (paused === null) {
    await tab.cdp.send('Fetch.disable');
    return;
  }
  const patterns = PATTERNS[paused];
  await tab.cdp.send('Fetch.enable', { handleAuthRequests: true, patterns: [...patterns] });
}

const DOCUMENTS = { urlPattern: '*', resourceType: 'Document' } as const;
const STYLES = { urlPattern: '*', resourceType: 'Stylesheet' } as const;
const PATTERNS = {
  documents: [DOCUMENTS],
  'documents and styles': [DOCUMENTS, STYLES],
  all: [{ urlPattern: '*' }],
} as const;

/**
 * Continues paused requests. A main-frame navigation must be allowed. The user's headers are added
 * to requests to the page's own origin only: they may hold a key. Redirected requests are paused
 * and checked again, because a header added once would follow the redirect to any host.
 */
function continuePaused(
  { cdp, listen, mainFrameId }: Tab,
  { url, headers, logins = [], navigations, untilActive }: RequestOptions,
): void {
  const added = Object.entries(headers).map(([name, value]) => ({ name, value }));
  const isAdded = new Set(added.map(({ name }) => name.toLowerCase()));
  const isLogin = new Set(logins.map(({ authorization }) => authorization));
  const headersFor = (request: { url: string; headers: object }) => {
    if (added.length === 0 && logins.length === 0) return {};
    const own = Object.entries(request.headers)
      .map(([name, value]) => ({ name, value: String(value) }))
      .filter(
        ({ name, value }) =>
          !isAdded.has(name.toLowerCase()) && !(isAuthorization(name) && isLogin.has(value)),
      );
    const sent = isOwnOrigin(request.url, url) ? [...own, ...added] : own;
    const login = authorizationFor(logins, request.url, url);
    // A script of the page may have set one of its own.
    if (login !== null && !sent.some(({ name }) => isAuthorization(name)))
      sent.push({ name: 'Authorization', value: login });
    return { headers: sent };
  };
  listen('Fetch.requestPaused', async ({ requestId, request, frameId, resourceType }) => {
    if (resourceType === 'Stylesheet') await untilActive;
    const isTabs = resourceType === 'Document' && frameId === mainFrameId;
    const goes = !navigations || !isTabs || (await navigations.allows(request.url));
    await (goes
      ? cdp.send('Fetch.continueRequest', { requestId, ...headersFor(request) })
      : // `Aborted` keeps the current document; other reasons show the browser's error page.
        cdp.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' })
    ).catch(() => {});
  });
}

const isAuthorization = (name: string): boolean => name.toLowerCase() === 'authorization';

/**
 * Answers the proxy's authentication challenge on the context's first page. Playwright's own option
 * (`proxy.username`) pauses every request for a round trip and turns the cache off. A site that
 * asks for credentials gets none.
 */
function authenticateToProxy(tab: Tab): void {
  const answered = new Set<string>();
  tab.listen('Fetch.authRequired', ({ requestId, authChallenge }) => {
    const isProxys = authChallenge.source === 'Proxy' && !answered.has(requestId);
    answered.add(requestId);
    const { username, password } = tab.client;
    const authChallengeResponse = isProxys
      ? ({ response: 'ProvideCredentials', username, password } as const)
      : ({ response: authChallenge.source === 'Proxy' ? 'CancelAuth' : 'Default' } as const);
    void tab.cdp.send('Fetch.continueWithAuth', { requestId, authChallengeResponse }).catch(() => {});
  });
}

const UNREAD_FILES =
  'png jpg jpeg gif webp avif ico bmp woff woff2 ttf otf eot mp4 webm mov m4v ogv mp3 m4a ogg wav flac'
    .split(' ')
    .flatMap((extension) => [`*.${extension}`, `*.${extension}?*`]);

/** Advertising and tracking hosts; page content does not depend on them. */
const TRACKERS =
  'doubleclick.net googlesyndication.com googleadservices.com google-analytics.com googletagmanager.com googletagservices.com adservice.google.com connect.facebook.net adnxs.com adsrvr.org amazon-adsystem.com criteo.com criteo.net taboola.com outbrain.com scorecardresearch.com quantserve.com hotjar.com clarity.ms bat.bing.com ads.linkedin.com snap.licdn.com analytics.tiktok.com static.ads-twitter.com mc.yandex.ru chartbeat.com mixpanel.com segment.io fullstory.com nr-data.net moatads.com rubiconproject.com pubmatic.com openx.net casalemedia.com adform.net smartadserver.com teads.tv'.split(
    ' ',
  );

export function isTracker(address: string, base: string): boolean {
  const host = parseUrl(address, base)?.hostname;
  return host !== undefined && TRACKERS.some((tracker) => host === tracker || host.endsWith(`.${tracker}`));
}

const UNWANTED: readonly string[] = TRACKERS.flatMap((host) => [`*://${host}/*`, `*://*.${host}/*`]);
const UNREAD: readonly string[] = [...UNREAD_FILES, ...UNWANTED];
export const NO_URLS: readonly string[] = [];
