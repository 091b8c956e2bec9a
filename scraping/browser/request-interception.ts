import { isOwnOrigin } from '../fetching/own-origin.ts';
import type { DocumentWatch } from './document-watch.ts';
import type { Tab } from './tab.ts';

export interface RequestOptions {
  /** The page's own address. */
  url: string;
  /** For requests to its origin. */
  headers: Record<string, string>;
  blockMedia: boolean;
  /** Asked with each document the tab is to show; unset: any may be. */
  navigations?: Pick<DocumentWatch, 'allows'> | undefined;
  /** Style sheets are not asked for before; a page that is never found to act needs none. Unset: at once. */
  untilActive?: Promise<void> | undefined;
}

/** What is done to the requests of a page, before it navigates. */
export async function interceptRequests(tab: Tab, options: RequestOptions): Promise<void> {
  const hasHeaders = Object.keys(options.headers).length > 0;
  // A context learns its login for the proxy with its first document.
  const pausesDocuments = options.navigations !== undefined || !tab.client.isKnown;
  const some = options.untilActive ? 'documents and styles' : 'documents';
  const paused = hasHeaders ? 'all' : pausesDocuments ? some : null;
  if (paused) {
    continuePaused(tab, options);
    authenticateToProxy(tab);
  }
  await Promise.all([blockUrls(tab, options.blockMedia ? UNREAD : UNWANTED), pauseRequests(tab, paused)]);
}

/** By the browser itself and by name: `page.route` would cost a round trip for every request. */
export async function blockUrls(tab: Tab, urls: readonly string[]): Promise<void> {
  if (tab.blocked === urls) return;
  tab.blocked = urls;
  await tab.cdp.send('Network.setBlockedURLs', { urls: [...urls] });
}

/** The browser waits with such requests until it is told to go on: a round trip for each. Left as it is from one page to the next. */
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
 * Lets what is paused go on. A document for the tab must be allowed where it leads, the user's headers are added to requests to the
 * page's own origin and to no other: they may hold a key. Those that follow a redirect are paused again, and asked for and added to
 * again: a header added once would be carried along to wherever the redirect leads.
 */
function continuePaused(
  { cdp, listen, mainFrameId }: Tab,
  { url, headers, navigations, untilActive }: RequestOptions,
): void {
  const added = Object.entries(headers).map(([name, value]) => ({ name, value }));
  const isAdded = new Set(added.map(({ name }) => name.toLowerCase()));
  const headersFor = (request: { url: string; headers: object }) => {
    if (added.length === 0) return {};
    const own = Object.entries(request.headers)
      .filter(([name]) => !isAdded.has(name.toLowerCase()))
      .map(([name, value]) => ({ name, value: String(value) }));
    return { headers: isOwnOrigin(request.url, url) ? [...own, ...added] : own };
  };
  listen('Fetch.requestPaused', async ({ requestId, request, frameId, resourceType }) => {
    if (resourceType === 'Stylesheet') await untilActive;
    const isTabs = resourceType === 'Document' && frameId === mainFrameId;
    const goes = !navigations || !isTabs || (await navigations.allows(request.url));
    await (goes
      ? cdp.send('Fetch.continueRequest', { requestId, ...headersFor(request) })
      : // The page stays as it was, and shows no error of the browser's own.
        cdp.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' })
    ).catch(() => {});
  });
}

/**
 * Makes the context learn its credentials for the proxy with its first page. Playwright's own way (`proxy.username`) pauses every
 * request of every page for a round trip and turns the cache off. A site that asks for a login of its own gets none.
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

/** Known for advertising and for following people around; a page says nothing less without them. */
const TRACKERS =
  'doubleclick.net googlesyndication.com googleadservices.com google-analytics.com googletagmanager.com googletagservices.com adservice.google.com connect.facebook.net adnxs.com adsrvr.org amazon-adsystem.com criteo.com criteo.net taboola.com outbrain.com scorecardresearch.com quantserve.com hotjar.com clarity.ms bat.bing.com ads.linkedin.com snap.licdn.com analytics.tiktok.com static.ads-twitter.com mc.yandex.ru chartbeat.com mixpanel.com segment.io fullstory.com nr-data.net moatads.com rubiconproject.com pubmatic.com openx.net casalemedia.com adform.net smartadserver.com teads.tv'.split(
    ' ',
  );

const UNWANTED: readonly string[] = TRACKERS.flatMap((host) => [`*://${host}/*`, `*://*.${host}/*`]);
const UNREAD: readonly string[] = [...UNREAD_FILES, ...UNWANTED];
export const NO_URLS: readonly string[] = [];
