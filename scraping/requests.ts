import type { Tab } from './tab.ts';

/** What is done to the requests of a page, before it navigates. */
export async function prepareRequests(
  tab: Tab,
  options: { url: string; headers: Record<string, string>; blockPictures: boolean },
): Promise<void> {
  const { url, headers, blockPictures } = options;
  const hasHeaders = Object.keys(headers).length > 0;
  if (hasHeaders) addHeaders(tab, url, headers);
  else if (!tab.client.isKnown) passRequests(tab);
  await Promise.all([
    block(tab, blockPictures ? UNREAD : UNWANTED),
    tab.client.isKnown ? undefined : logIn(tab),
    hasHeaders ? pauseRequests(tab, [{ urlPattern: '*' }]) : undefined,
    !hasHeaders && !tab.client.isKnown
      ? pauseRequests(tab, [{ urlPattern: '*', resourceType: 'Document' }])
      : undefined,
  ]);
}

/** By the browser itself and by name: `page.route` would cost a round trip for every request. */
export async function block(tab: Tab, urls: readonly string[]): Promise<void> {
  if (tab.blocked === urls) return;
  tab.blocked = urls;
  await tab.cdp.send('Network.setBlockedURLs', { urls: [...urls] });
}

/** Once the browser has its login nothing need be paused any more, unless for headers of the user's. */
export function resumeRequests(tab: Tab, headers: Record<string, string>): void {
  if (!tab.pausesRequests || Object.keys(headers).length > 0) return;
  tab.pausesRequests = false;
  void tab.cdp.send('Fetch.disable').catch(() => {});
}

type Patterns = { urlPattern: string; resourceType?: 'Document' }[];

async function pauseRequests(tab: Tab, patterns: Patterns): Promise<void> {
  tab.pausesRequests = true;
  await tab.cdp.send('Fetch.enable', { handleAuthRequests: true, patterns });
}

function passRequests(tab: Tab): void {
  tab.listen('Fetch.requestPaused', ({ requestId }) => {
    void tab.cdp.send('Fetch.continueRequest', { requestId }).catch(() => {});
  });
}

/**
 * Makes the context learn its credentials for the proxy with its first page. Playwright's own way (`proxy.username`) pauses every
 * request of every page for a round trip and turns the cache off. A site that asks for a login of its own gets none.
 */
function logIn(tab: Tab): void {
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
export const NOTHING: readonly string[] = [];

/**
 * Adds the user's headers to requests to the page's own origin and to no other: they may hold a key. Every request is paused for
 * it, those that follow a redirect too, because a header added once would be carried along to wherever the redirect leads.
 */
function addHeaders({ cdp, listen }: Tab, pageUrl: string, headers: Record<string, string>): void {
  const added = Object.entries(headers).map(([name, value]) => ({ name, value }));
  const isAdded = new Set(added.map(({ name }) => name.toLowerCase()));
  listen('Fetch.requestPaused', ({ requestId, request }) => {
    const own = Object.entries(request.headers)
      .filter(([name]) => !isAdded.has(name.toLowerCase()))
      .map(([name, value]) => ({ name, value: String(value) }));
    const all = isOwnOrigin(request.url, pageUrl) ? [...own, ...added] : own;
    void cdp.send('Fetch.continueRequest', { requestId, headers: all }).catch(() => {});
  });
}

/** The same origin, or the same host once it has moved to https. */
export function isOwnOrigin(url: string, pageUrl: string): boolean {
  if (!URL.canParse(url)) return false;
  const [asked, page] = [new URL(url), new URL(pageUrl)];
  if (asked.origin === page.origin) return true;
  return (
    asked.protocol === 'https:' && asked.hostname === page.hostname && asked.port === '' && page.port === ''
  );
}
