import { decodeUri } from '../../../core/text.ts';
import { select } from './selector-index.ts';
import { hasText, readText } from './traverse.ts';

/** A document that a page shows in a frame. */
export interface FrameDocument {
  /** Address attribute of its element as written; empty for `srcdoc`. */
  src: string;
  /** Its URL, after redirects. */
  url: string;
  /** Null: it could not be read. */
  html: string | null;
  frames: FrameDocument[];
}

/** Elements that can show a document. */
const FRAME_SELECTOR = 'iframe, frame, object[data], embed[src]';
/** Frames in frames are read to this depth. */
export const MAX_FRAME_DEPTH = 4;
/** Frames of a page. */
export const MAX_FRAMES = 40;

/**
 * Puts the documents of frames in the place of their elements, and the fallback content of an
 * `object` or a `noframes` where there is none: the content of frames belongs to the page. A
 * frameset becomes a body. Changes the document.
 *
 * @param parse parses a frame's HTML, flattens it and makes its URLs absolute
 */
export function inlineFrames(
  document: Document,
  frames: readonly FrameDocument[],
  parse: (frame: { html: string; url: string; frames: FrameDocument[] }) => Document | null,
  url: string,
): void {
  const isFrameset = replaceFrameset(document);
  const elements = select(document, FRAME_SELECTOR).slice(0, MAX_FRAMES);
  const waiting = [...frames];
  let inlined = 0;
  for (const element of elements) {
    const src = element.getAttribute('src') ?? element.getAttribute('data') ?? '';
    const srcdoc = element.tagName === 'IFRAME' ? element.getAttribute('srcdoc') : null;
    const key = srcdoc === null ? src : '';
    const at = waiting.findIndex((frame) => frame.src === key);
    const [given] = at < 0 ? [] : waiting.splice(at, 1);
    const frame =
      given?.html != null
        ? { ...given, html: given.html }
        : isHiddenFrame(element)
          ? null
          : inPage(srcdoc ?? documentOfDataUrl(src), url);
    const shown = frame && parse(frame);
    if (shown) {
      inlined += 1;
      replaceByContent(element, shown);
    } else if (element.tagName === 'OBJECT') replaceByFallback(element);
  }
  for (const fallback of select(document, 'noframes')) {
    // Its content is text to the parser.
    const shown = isFrameset && inlined === 0 ? parse({ html: readText(fallback), url, frames: [] }) : null;
    if (shown) replaceByContent(fallback, shown);
    else fallback.remove();
  }
}

/** A document that is written in the page itself. */
const inPage = (html: string | null, url: string) => (html === null ? null : { html, url, frames: [] });

/** The HTML in a `data:` URL; null if it is none. */
function documentOfDataUrl(src: string): string | null {
  const [beginning, base64] =
    /^data:text\/html(?:;(?!base64)[^,;]{0,99})*(;base64)?,/i.exec(src.slice(0, 300)) ?? [];
  if (beginning === undefined) return null;
  const data = src.slice(beginning.length);
  if (base64) return Buffer.from(data, 'base64').toString();
  return decodeUri(data);
}

/** A frame that is not meant to be seen: it counts, tracks or talks to another window. */
function isHiddenFrame(element: Element): boolean {
  const tiny = (name: string) => /^\s*[01](px)?\s*$/.test(element.getAttribute(name) ?? '');
  return (
    element.hasAttribute('hidden') ||
    tiny('width') ||
    tiny('height') ||
    /(^|;)\s*(display\s*:\s*none|visibility\s*:\s*hidden|(width|height)\s*:\s*[01](px)?\s*(;|$|!))/i.test(
      element.getAttribute('style') ?? '',
    )
  );
}

/** domino knows no body in a document of frames. @returns whether there was a frameset */
function replaceFrameset(document: Document): boolean {
  const outer = document.documentElement?.lastElementChild;
  if (outer?.tagName !== 'FRAMESET' || document.body) return false;
  const body = document.createElement('body');
  for (const part of select(document, 'frame, noframes')) body.appendChild(part);
  outer.parentNode?.replaceChild(body, outer);
  return true;
}

function replaceByContent(element: Element, shown: Document): void {
  const content = shown.body ?? shown.documentElement;
  // A frame must not fail its page: domino recurses over the depth.
  if (!content || isDeeperThan(content, MAX_NESTING)) return;
  const document = element.ownerDocument;
  const holder = document.createElement('div');
  while (content.firstChild) holder.appendChild(document.adoptNode(content.firstChild));
  element.parentNode?.replaceChild(holder, element);
}

const MAX_NESTING = 500;

function isDeeperThan(root: Element, limit: number): boolean {
  let depth = 0;
  for (let node: Node = root; ; ) {
    if (node.firstChild) {
      depth += 1;
      if (depth > limit) return true;
      node = node.firstChild;
      continue;
    }
    while (node !== root && !node.nextSibling && node.parentNode) {
      node = node.parentNode;
      depth -= 1;
    }
    if (node === root || !node.nextSibling) return false;
    node = node.nextSibling;
  }
}

/** What an `object` shows where its document is missing. */
function replaceByFallback(element: Element): void {
  if (!hasText(element)) return;
  while (element.firstChild) element.parentNode?.insertBefore(element.firstChild, element);
  element.remove();
}
