import type { Frame } from 'playwright';
import { type FrameDocument, MAX_FRAME_DEPTH, MAX_FRAMES } from '../extraction/document/frames.ts';
import { type Deadline, resolvesWithin } from '../fetching/deadline.ts';
import { isTracker } from './request-interception.ts';
import type { Tab } from './tab.ts';

/** A frame that does not answer by then is missing from the page. */
const READ_MS = 3000;

/**
 * Fills in the frames that the page's own process cannot read: those of other origins. Each costs
 * two round trips, so this is asked only if there are some. What cannot be read keeps `html: null`.
 */
export async function readForeignFrames(
  tab: Tab,
  frames: FrameDocument[],
  maxChars: number,
  deadline: Deadline,
): Promise<void> {
  const missing = flatten(frames).filter(({ html }) => html === null);
  if (missing.length === 0) return;
  let charsLeft = maxChars;
  let framesLeft = MAX_FRAMES;
  const reading = readBelow(tab.page.mainFrame(), 1, false);
  await deadline.race(resolvesWithin(reading, Math.min(READ_MS, deadline.remainingMs() * 0.5)));

  async function readBelow(parent: Frame, depth: number, isForeign: boolean): Promise<FrameDocument[]> {
    const found = await Promise.all(
      parent.childFrames().map((frame) => readFrame(frame, depth, isForeign).catch(() => null)),
    );
    return found.filter((each) => each !== null);
  }

  /** @param isForeign whether the frame is inside one of another origin: then all is read here */
  async function readFrame(frame: Frame, depth: number, isForeign: boolean): Promise<FrameDocument | null> {
    if (depth > MAX_FRAME_DEPTH || framesLeft <= 0) return null;
    framesLeft -= 1;
    const element = await frame.frameElement();
    const seen = await element.evaluate((node) => {
      const holder = node as HTMLIFrameElement;
      const { width, height } = holder.getBoundingClientRect();
      const address = holder.getAttribute('src') ?? holder.getAttribute('data') ?? '';
      return {
        src: holder.hasAttribute('srcdoc') ? '' : address,
        isReadable: Boolean(holder.contentDocument),
        isVisible: width >= 10 && height >= 10,
      };
    });
    if (!seen.isVisible) return null;
    if (seen.isReadable && !isForeign) {
      await readBelow(frame, depth + 1, false);
      return null;
    }
    if (!/^(https?|about|blob|data):/.test(frame.url())) return null;
    const html = await frame.content();
    if (html.length > charsLeft) return null;
    charsLeft -= html.length;
    const read = { src: seen.src, url: frame.url(), html, frames: await readBelow(frame, depth + 1, true) };
    const place = isForeign ? undefined : missing.find((each) => each.html === null && each.src === seen.src);
    if (place) Object.assign(place, read);
    return read;
  }
}

/** How many frames are missing; those of trackers are never loaded. */
export const countMissing = (frames: readonly FrameDocument[], url: string): number =>
  flatten(frames).filter(({ html, src }) => html === null && !isTracker(src, url)).length;

const flatten = (frames: readonly FrameDocument[]): FrameDocument[] =>
  frames.flatMap((frame) => [frame, ...flatten(frame.frames)]);
