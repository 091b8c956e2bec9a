import { parseUrl } from '../../core/parse-url.ts';
import { type FrameDocument, MAX_FRAME_DEPTH } from '../extraction/document/frames.ts';
import { isOwnOrigin } from '../fetching/own-origin.ts';
import { htmlSignals } from '../response/html-signals.ts';

/** Frames of a page that plain HTTP fetches: each is a request to the site. */
const MOST_FRAMES = 10;
/** Frames at once, as many as a careful browser has connections. */
const AT_ONCE = 3;
/** With more text than this, frames of other sites are films and advertisements. */
const LITTLE_TEXT = 800;

export interface FetchedFrames {
  frames: FrameDocument[];
  /** Frames that could not be fetched; those of other origins count if the page has little text. */
  missing: number;
}

/**
 * Fetches the documents of a page's frames, if they have the page's origin: those of others are
 * left to the browser.
 *
 * @param fetchFrame resolves with null if the frame cannot be had
 */
export async function fetchFrames(
  page: { html: string; url: string },
  maxChars: number,
  fetchFrame: (url: string) => Promise<{ url: string; html: string } | null>,
): Promise<FetchedFrames> {
  let framesLeft = MOST_FRAMES;
  let charsLeft = maxChars;
  let missing = 0;
  return { frames: await framesOf(page, [page.url], 1), missing };

  async function framesOf(
    { html, url }: { html: string; url: string },
    above: readonly string[],
    depth: number,
  ): Promise<FrameDocument[]> {
    const { frames, base, textLength } = htmlSignals(html);
    if (frames.length === 0) return [];
    const isSparse = textLength < LITTLE_TEXT;
    const from = parseUrl(base ?? '', url)?.href ?? url;
    const found: FrameDocument[] = [];
    const waiting = frames.flatMap((src) => {
      const target = parseUrl(src, from);
      if (!target || !/^https?:$/.test(target.protocol)) return [];
      target.hash = '';
      if (isOwnOrigin(target.href, page.url)) return [{ src, target: target.href }];
      if (isSparse) missing += 1;
      return [];
    });
    for (let start = 0; start < waiting.length; start += AT_ONCE) {
      found.push(...(await Promise.all(waiting.slice(start, start + AT_ONCE).map(load))));
    }
    return found;

    async function load({ src, target }: { src: string; target: string }): Promise<FrameDocument> {
      // A page does not show itself in itself.
      const isNested = above.includes(target);
      const isAllowed = !isNested && framesLeft > 0 && depth <= MAX_FRAME_DEPTH && charsLeft > 0;
      if (isAllowed) framesLeft -= 1;
      const fetched = isAllowed ? await fetchFrame(target) : null;
      if (!fetched || fetched.html.length > charsLeft) {
        if (!isNested) missing += 1;
        return { src, url: target, html: null, frames: [] };
      }
      charsLeft -= fetched.html.length;
      return { src, ...fetched, frames: await framesOf(fetched, [...above, target], depth + 1) };
    }
  }
}
