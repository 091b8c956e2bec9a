import { createDocument } from '@mixmark-io/domino';
import { select, selectFirst, setAttribute } from './selector-index.ts';
import { hasText, holds, isElement, textOf } from './traverse.ts';

export { hasText, holds, isElement, isText, nearest, textOf } from './traverse.ts';
export { select, selectFirst };

/**
 * Parses a page as a browser would, makes its shadow DOM ordinary and its addresses absolute.
 *
 * @param look sees the document before its addresses change
 */
export function parsePage(
  html: string,
  url: string,
  look?: (document: Document, base: string) => void,
): Document {
  const document = createDocument(html, true);
  unwrapMisspelt(document);
  flattenShadowRoots(document);
  const base = baseUrl(document, url);
  look?.(document, base);
  resolveAddresses(document, base);
  return document;
}

/** A slip of the pen such as `<p"x>` makes an element whose name no copy can have; what is in it is what was meant. */
function unwrapMisspelt(document: Document): void {
  for (const element of select(document, '*')) {
    if (/^[A-Za-z_][\w.:-]*$/.test(element.tagName)) continue;
    while (element.firstChild) element.parentNode?.insertBefore(element.firstChild, element);
    element.remove();
  }
}

function baseUrl(document: Document, url: string): string {
  const base = selectFirst(document, 'base[href]')?.getAttribute('href');
  return base && URL.canParse(base, url) ? new URL(base, url).href : url;
}

/** Puts what a component draws in its place, with the elements given to it in their slots. */
function flattenShadowRoots(document: Document): void {
  // Innermost last in document order, so outer components are open by the time inner ones are reached.
  for (let template = nextShadow(document); template; template = nextShadow(document)) {
    const host = template.parentElement;
    const content = (template as HTMLTemplateElement).content ?? template;
    template.remove();
    if (!host) continue;
    const light = Array.from(host.childNodes);
    for (const node of light) node.remove();
    while (content.firstChild) host.appendChild(content.firstChild);
    for (const slot of select(host, 'slot')) {
      const name = slot.getAttribute('name') ?? '';
      const given = light.filter(
        (node) => (isElement(node) ? (node.getAttribute('slot') ?? '') : '') === name,
      );
      if (given.length === 0) continue;
      while (slot.firstChild) slot.firstChild.remove();
      for (const node of given) slot.appendChild(node);
    }
  }
}

const nextShadow = (document: Document): Element | null => selectFirst(document, 'template[shadowrootmode]');

const ADDRESS_ATTRIBUTES = ['href', 'src', 'poster', 'action', 'cite', 'data-src'] as const;

function resolveAddresses(document: Document, base: string): void {
  for (const name of ADDRESS_ATTRIBUTES) {
    for (const element of select(document, `[${name}]`)) {
      const value = element.getAttribute(name)?.trim() ?? '';
      const absolute = absoluteUrl(value, base);
      if (absolute !== null && absolute !== value) setAttribute(element, name, absolute);
    }
  }
  for (const image of select(document, 'img')) resolveImage(image, base);
  for (const holder of select(document, 'noscript')) showPictures(holder);
}

/** A picture that only readers without scripts get is shown, where nothing else stands in for it. */
function showPictures(holder: Element): void {
  const pictures = select(holder, 'img');
  if (pictures.length === 0 || hasText(holder)) return;
  // Behind an element it stands in for that one, or counts readers for a script.
  if (holder.previousElementSibling || !holder.parentNode) return;
  for (const picture of pictures) {
    // A pixel that counts readers is no picture.
    if (picture.getAttribute('width') === '1' || picture.getAttribute('height') === '1') continue;
    holder.parentNode.insertBefore(picture, holder);
  }
}

const WAITING = ['data-src', 'data-lazy-src', 'data-original', 'data-lazy', 'data-url'];
const WAITING_SETS = ['srcset', 'data-srcset', 'data-lazy-srcset'];

/**
 * An image that waits to be scrolled to has its address elsewhere, and a blank one where it belongs: in an attribute of its own, in
 * the set it is chosen from, or in a copy for readers without scripts.
 */
function resolveImage(image: Element, base: string): void {
  const source = image.getAttribute('src') ?? '';
  const sets = WAITING_SETS.map((name) => image.getAttribute(name));
  setAttribute(image, 'srcset', null);
  if (isPicture(source)) return;
  const inPicture = image.parentElement?.tagName === 'PICTURE' ? select(image.parentElement, 'source') : [];
  sets.push(...inPicture.flatMap((other) => WAITING_SETS.map((name) => other.getAttribute(name))));
  const waiting = [
    ...WAITING.map((name) => image.getAttribute(name)),
    ...sets.map((set) => set?.trim().split(/[\s,]/)[0]),
    copyForReaders(image)?.getAttribute('src'),
  ].find((address) => address && isPicture(address));
  const absolute = waiting ? absoluteUrl(waiting, base) : null;
  if (absolute) setAttribute(image, 'src', absolute);
}

const isPicture = (address: string) => address !== '' && !/^(data|blob|about):/i.test(address);

/** The picture in a `noscript` right behind it. */
function copyForReaders(image: Element): Element | null {
  const next = image.nextElementSibling ?? image.parentElement?.nextElementSibling;
  if (next?.tagName !== 'NOSCRIPT' || hasText(next)) return null;
  return next.querySelector('img[src]');
}

/** Null for what is no address. `javascript:` and the like stay as they are: they have no base. */
export function absoluteUrl(value: string, base: string): string | null {
  try {
    return new URL(value, base).href;
  } catch {
    return null;
  }
}

const BLOCK_NAMES =
  'ADDRESS ARTICLE ASIDE BLOCKQUOTE BODY CAPTION CENTER DD DETAILS DIALOG DIR DIV DL DT FIELDSET FIGCAPTION FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER HGROUP HR HTML LEGEND LI MAIN MENU NAV OL P PRE SECTION SUMMARY TABLE TBODY TD TFOOT TH THEAD TR UL';
const BLOCKS: ReadonlySet<string> = new Set(BLOCK_NAMES.split(' '));
export const isBlock = (element: Element): boolean => BLOCKS.has(element.tagName);

export const hasBlockInside = (element: Element): boolean => holds(element, BLOCKS);

/** As its `title`, which walks the whole of it. */
export function titleOf(document: Document): string {
  const title = selectFirst(document, 'title');
  return title ? collapsed(textOf(title)) : '';
}

export const collapsed = (text: string | null): string => (text ?? '').replace(/\s+/g, ' ').trim();
