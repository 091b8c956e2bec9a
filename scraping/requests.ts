import type { Tab } from './browser.ts';

/** What is done to the requests of a page, before it navigates. */
export async function prepareRequests(
  tab: Tab,
  options: { url: string; headers: Record<string, string>; blockPictures: boolean },
): Promise<void> {
  const { url, headers, blockPictures } = options;
  await Promise.all([
    // By the browser itself and by name: `page.route` would cost a round trip for every request.
    tab.cdp.send('Network.setBlockedURLs', { urls: blockPictures ? UNREAD_FILES : [] }),
    Object.keys(headers).length > 0 ? addHeaders(tab, url, headers) : undefined,
  ]);
}

const UNREAD_FILES =
  'png jpg jpeg gif webp avif ico bmp woff woff2 ttf otf eot mp4 webm mov m4v ogv mp3 m4a ogg wav flac'
    .split(' ')
    .flatMap((extension) => [`*.${extension}`, `*.${extension}?*`]);

/**
 * Adds the user's headers to requests to the page's own origin and to no other: they may hold a key. Every request is paused for
 * it, those that follow a redirect too, because a header added once would be carried along to wherever the redirect leads.
 */
async function addHeaders({ cdp }: Tab, pageUrl: string, headers: Record<string, string>): Promise<void> {
  const added = Object.entries(headers).map(([name, value]) => ({ name, value }));
  const isAdded = new Set(added.map(({ name }) => name.toLowerCase()));
  cdp.on('Fetch.requestPaused', ({ requestId, request }) => {
    const own = Object.entries(request.headers)
      .filter(([name]) => !isAdded.has(name.toLowerCase()))
      .map(([name, value]) => ({ name, value: String(value) }));
    const all = isOwnOrigin(request.url, pageUrl) ? [...own, ...added] : own;
    void cdp.send('Fetch.continueRequest', { requestId, headers: all }).catch(() => {});
  });
  await cdp.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] });
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
