import { createDocument } from '@mixmark-io/domino';
import { parseUrl } from '../../../core/parse-url.ts';
import { absoluteUrl } from './absolute-url.ts';
import { cleanLine } from './blanks.ts';
import { fillEmptyElements } from './fill-empty.ts';
import { unifyFormulas } from './formulas.ts';
import { type FrameDocument, inlineFrames, MAX_FRAME_DEPTH } from './frames.ts';
import { resolveImages } from './images.ts';
import { select, selectFirst, setAttribute } from './selector-index.ts';
import { readShownBoxes } from './shown-boxes.ts';
import { containsTag, isElement, nextNode, readText } from './traverse.ts';

export { absoluteUrl } from './absolute-url.ts';
export { closestTag, containsTag, hasText, isElement, isText, readText } from './traverse.ts';
export { select, selectFirst };

/**
 * Parses a page as a browser would, flattens its shadow DOM and frames, and makes its URLs
 * absolute.
 *
 * @param options.beforeResolve gets the document and its base URL while its URLs are as written;
 *   those of frames are absolute already
 * @param options.frames documents of its frames; those in `srcdoc` are found in the page
 */
export function parsePage(
  html: string,
  url: string,
  options: {
    beforeResolve?: (document: Document, base: string) => void;
    frames?: readonly FrameDocument[];
  } = {},
): Document {
  return parseAt(html, url, { frames: [], ...options, depth: 0 });
}

function parseAt(
  html: string,
  url: string,
  options: {
    beforeResolve?: (document: Document, base: string) => void;
    frames: readonly FrameDocument[];
    depth: number;
  },
): Document {
  const { depth, beforeResolve } = options;
  const document = createDocument(html, true);
  unwrapMisspelt(document);
  flattenShadowRoots(document);
  const hidden = readShownBoxes(document);
  const base = baseUrl(document, url);
  const parseFrame: Parameters<typeof inlineFrames>[2] = ({ frames, ...frame }) =>
    depth < MAX_FRAME_DEPTH ? parseAt(frame.html, frame.url, { frames, depth: depth + 1 }) : null;
  // The base of a `srcdoc` is its page's.
  inlineFrames(document, options.frames, parseFrame, base);
  beforeResolve?.(document, base);
  for (const element of hidden) setAttribute(element, 'hidden', '');
  unifyFormulas(document);
  fillEmptyElements(document);
  resolveAddresses(document, base);
  return document;
}

/** A typo such as `<p"x>` makes an element that cannot be cloned; its content replaces it. */
function unwrapMisspelt(document: Document): void {
  for (const element of select(document, '*')) {
    if (/^[A-Za-z_][\w.:-]*$/.test(element.tagName)) continue;
    while (element.firstChild) element.parentNode?.insertBefore(element.firstChild, element);
    element.remove();
  }
}

/** As browsers do: of several `base` the first counts, and `data:` or `javascript:` is none. */
export function baseUrl(document: Document, url: string): string {
  const written = selectFirst(document, 'base[href]')?.getAttribute('href')?.trim();
  const base = written ? parseUrl(written, url) : null;
  return base && !/^(data|javascript|about):/.test(base.protocol) ? base.href : url;
}

/**
 * Replaces each shadow host's children by its shadow tree, with the slotted elements in place. Each
 * template is searched for once, in the document or in its outer template; searching the document
 * again after each one was quadratic.
 */
function flattenShadowRoots(document: Document): void {
  const waiting = select(document, SHADOW_ROOT).reverse();
  for (let template = waiting.pop(); template; template = waiting.pop()) {
    const host = template.parentElement;
    const content = (template as HTMLTemplateElement).content ?? template;
    template.remove();
    if (!host) continue;
    const slots: Element[] = [];
    const inner: Element[] = [];
    for (let node = content.firstChild; node; node = nextNode(node, content)) {
      if (!isElement(node)) continue;
      if (node.tagName === 'SLOT') slots.push(node);
      if (node.tagName === 'TEMPLATE' && node.hasAttribute('shadowrootmode')) inner.push(node);
    }
    const light = detachChildren(host);
    while (content.firstChild) host.appendChild(content.firstChild);
    for (const slot of slots) fillSlot(slot, light);
    // Outer components are flattened before inner ones.
    waiting.push(...inner.reverse());
  }
}

const SHADOW_ROOT = 'template[shadowrootmode]';

/** Removes the children and groups them by slot name; the default slot is the empty name. */
function detachChildren(host: Element): Map<string, ChildNode[]> {
  const bySlot = new Map<string, ChildNode[]>();
  while (host.firstChild) {
    const node = host.firstChild;
    const name = isElement(node) ? (node.getAttribute('slot') ?? '') : '';
    const given = bySlot.get(name);
    if (given) given.push(node);
    else bySlot.set(name, [node]);
    node.remove();
  }
  return bySlot;
}

/** The first slot of a name takes the elements; later ones keep their fallback content. */
function fillSlot(slot: Element, light: Map<string, ChildNode[]>): void {
  const name = slot.getAttribute('name') ?? '';
  const given = light.get(name);
  if (!given) return;
  light.delete(name);
  while (slot.firstChild) slot.firstChild.remove();
  for (const node of given) slot.appendChild(node);
}

const ADDRESS_ATTRIBUTES = ['href', 'src', 'poster', 'action', 'cite', 'data-src'] as const;

function resolveAddresses(document: Document, base: string): void {
  resolveImages(document, base);
  for (const name of ADDRESS_ATTRIBUTES) {
    for (const element of select(document, `[${name}]`)) {
      const value = element.getAttribute(name)?.trim() ?? '';
      // Of empty ones only links and forms mean the page itself.
      if (value === '' && name !== 'href' && name !== 'action') continue;
      if (value === '' && element.tagName === 'LINK') continue;
      const absolute = absoluteUrl(value, base);
      if (absolute !== null && absolute !== value) setAttribute(element, name, absolute);
    }
  }
}

const BLOCK_NAMES =
  'ADDRESS ARTICLE ASIDE BLOCKQUOTE BODY CAPTION CENTER DD DETAILS DIALOG DIR DIV DL DT FIELDSET FIGCAPTION FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER HGROUP HR HTML LEGEND LI MAIN MENU NAV OL P PRE SECTION SUMMARY TABLE TBODY TD TFOOT TH THEAD TR UL';
const BLOCKS: ReadonlySet<string> = new Set(BLOCK_NAMES.split(' '));
export const isBlock = (element: Element): boolean => BLOCKS.has(element.tagName);

export const hasBlockInside = (element: Element): boolean => containsTag(element, BLOCKS);

/** Same as `document.title`, without its walk of the whole document. A drawing has titles too. */
export function readTitle(document: Document): string {
  const title = select(document, 'title').find(({ namespaceURI }) => namespaceURI === HTML);
  return title ? cleanLine(readText(title)) : '';
}

const HTML = 'http://www.w3.org/1999/xhtml';

export const collapseSpaces = (text: string | null): string => (text ?? '').replace(/\s+/g, ' ').trim();
