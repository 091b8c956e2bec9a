import { absoluteUrl } from './absolute-url.ts';
import { select, setAttribute } from './selector-index.ts';
import { chooseCandidate, holds, parseSrcset } from './srcset.ts';
import { hasText, isElement, nextNode } from './traverse.ts';

/**
 * Gives each image its real, absolute URL. Lazy loading keeps it in another attribute, in a
 * `srcset` or in a `noscript` copy, while `src` is empty or a placeholder.
 */
export function resolveImages(document: Document, base: string): void {
  for (const image of select(document, 'amp-img')) renameToImg(image);
  const images = select(document, 'img');
  const shared = sourcesOfSeveral(images);
  for (const image of images) resolveImage(image, base, shared);
  for (const source of select(document, 'source')) {
    if (source.hasAttribute('srcset')) resolveSrcset(source, base);
  }
  for (const holder of select(document, 'noscript')) showNoscriptImages(holder);
}

function resolveImage(image: Element, base: string, shared: ReadonlySet<string>): void {
  const source = image.getAttribute('src')?.trim() ?? '';
  const isReal = isImageUrl(source) && !shared.has(source) && !isPlaceholder(image, source);
  const found = isReal ? source : (findRealUrl(image, source) ?? (isImageUrl(source) ? source : null));
  const url = found === null ? null : absoluteUrl(found, base);
  if (url !== null && /^https?:/i.test(url)) setAttribute(image, 'src', url);
  // Without an image, the page's own URL or a fragment would stand for it.
  else if (!/^(data|blob):/i.test(source)) setAttribute(image, 'src', null);
  setAttribute(image, 'srcset', null);
}

/** Not the real image, if there is another URL: recognized by its file name or by the image's class. */
const isPlaceholder = (image: Element, source: string): boolean =>
  PLACEHOLDER.test(source.slice(0, 2000)) ||
  LAZY_CLASS.test(image.getAttribute('class')?.slice(0, 500) ?? '');

const PLACEHOLDER =
  /(?:^|[/_-])(?:spacer|blank|pixel|place-?holder|transparent|trans|1x1|clear|empty|loading|loader|lazy(?:[_-]?load)?|dummy|gr[ae]y|lqip|preview-blur|grey-?box|ajax-loader)(?:[._-][\w.-]{0,60})?\.(?:gif|png|svg|jpe?g|webp|avif)(?:[?#]|$)/i;
const LAZY_CLASS = /(?:^|[\s_-])(?:b-)?(?:lazy(?:-?load(?:ed|ing)?|-?image|-?img)?|unveil)(?:$|[\s_-])/i;

/** URLs of several images that differ in a lazy attribute: one placeholder for all. */
function sourcesOfSeveral(images: readonly Element[]): Set<string> {
  const seen = new Map<string, string>();
  const several = new Set<string>();
  for (const image of images) {
    const source = image.getAttribute('src')?.trim() ?? '';
    const waiting = image.getAttribute('data-src') ?? image.getAttribute('data-original');
    if (source === '' || !waiting || waiting === source) continue;
    const before = seen.get(source);
    if (before !== undefined && before !== waiting) several.add(source);
    seen.set(source, waiting);
  }
  return several;
}

function findRealUrl(image: Element, source: string): string | null {
  for (const name of LAZY_ATTRIBUTES) {
    const url = urlIn(image, image.getAttribute(name));
    if (url !== null && url !== source) return url;
  }
  const sizes = image.getAttribute('sizes') ?? image.getAttribute('data-sizes');
  for (const name of SRCSETS) {
    const chosen = chooseCandidate(image.getAttribute(name) ?? '', sizes, isImageUrl);
    if (chosen !== null) return chosen;
  }
  return sourceOfPicture(image) ?? guessAttribute(image) ?? noscriptCopy(image)?.getAttribute('src') ?? null;
}

const SRCSETS = [
  'srcset',
  'data-srcset',
  'data-lazy-srcset',
  'data-ll-srcset',
  'data-original-set',
  'lazy-srcset',
];

/** Attributes of the usual lazy loaders and CDNs, best first. */
const LAZY_ATTRIBUTES = [
  ...[
    'data-src',
    'data-lazy-src',
    'data-original',
    'data-lazy',
    'data-url',
    'data-orig-file',
    'data-orig-src',
  ],
  ...[
    'data-cfsrc',
    'data-pagespeed-lazy-src',
    'data-nitro-lazy-src',
    'data-ezsrc',
    'data-opt-src',
    'data-echo',
  ],
  ...[
    'data-original-src',
    'data-actualsrc',
    'data-lazyload',
    'data-lazy-load',
    'data-lazysrc',
    'data-real-src',
  ],
  ...[
    'data-realsrc',
    'data-image',
    'data-img',
    'data-img-src',
    'data-image-src',
    'data-img-url',
    'data-image-url',
  ],
  ...['data-hi-res-src', 'data-hires', 'data-old-hires', 'data-full-src', 'data-large-src', 'data-src-large'],
  ...[
    'data-defer-src',
    'data-deferred-src',
    'data-delayed-url',
    'data-flickity-lazyload',
    'data-splide-lazy',
  ],
  ...['data-ll-src', 'data-lazy-original', 'data-a-dynamic-image', 'data-src-retina', 'data-runner-src'],
  ...['lazy-src', 'lazysrc', 'loadsrc', '_src', 'real_src', 'original', 'file', 'imgsrc', 'ng-src'],
];

/** A URL in a lazy attribute: plain, in JSON, or as a pattern with `{width}`. */
function urlIn(image: Element, value: string | null): string | null {
  const text = value?.trim() ?? '';
  if (text === '' || text.length > MAX_ATTRIBUTE) return null;
  if (/^[[{]/.test(text)) return /(?:https?:)?\/\/[^"'\s\\<>]+/.exec(text)?.[0] ?? null;
  if (!isImageUrl(text) || !/[./]/.test(text)) return null;
  if (/\s/.test(text)) return chooseCandidate(text, null, isImageUrl);
  return text.includes('{width}') ? text.replaceAll('{width}', String(widthFor(image))) : text;
}

const MAX_ATTRIBUTE = 20_000;

/** From `data-widths="[180, 360, 540]"`: the largest up to the usual width of a column. */
function widthFor(image: Element): number {
  const widths = (image.getAttribute('data-widths') ?? '').slice(0, 500).match(/\d+/g)?.map(Number) ?? [];
  return Math.max(0, ...widths.filter((width) => width <= COLUMN_WIDTH)) || COLUMN_WIDTH;
}

const COLUMN_WIDTH = 1080;

/** An unknown attribute that holds the URL of an image file. */
function guessAttribute(image: Element): string | null {
  for (const name of image.getAttributeNames().slice(0, 50)) {
    if (NOT_THE_IMAGE.test(name)) continue;
    const value = image.getAttribute(name)?.trim() ?? '';
    if (value.length > 2000 || !IMAGE_FILE.test(value)) continue;
    const url = /\s/.test(value) ? chooseCandidate(value, null, isImageUrl) : value;
    if (url !== null && isImageUrl(url)) return url;
  }
  return null;
}

const NOT_THE_IMAGE =
  /^(src|alt|title|class|id|style|sizes|href|on\w+|aria-.*|.*(placeholder|fallback|error|loading|logo|avatar|icon|link|caption|description|name).*)$/i;
const IMAGE_FILE = /^[^\s<>"']+\.(?:jpe?g|png|webp|gif|avif|svg)(?:[?#][^\s<>"']*)?(?:\s+[\d.]+[wx]\b.*)?$/is;

/** From the first `source` of the image's `picture` whose media query holds. */
function sourceOfPicture(image: Element): string | null {
  const picture = image.parentElement;
  if (picture?.tagName !== 'PICTURE') return null;
  let sources = 0;
  for (let child = picture.firstElementChild; child; child = child.nextElementSibling) {
    if (child.tagName !== 'SOURCE' || !holds(child.getAttribute('media'))) continue;
    for (const name of SRCSETS) {
      const chosen = chooseCandidate(child.getAttribute(name) ?? '', child.getAttribute('sizes'), isImageUrl);
      if (chosen !== null) return chosen;
    }
    sources += 1;
    // Bounded, because each image of the picture reads them.
    if (sources >= MAX_SOURCES) break;
  }
  return null;
}

const MAX_SOURCES = 20;

const isImageUrl = (url: string) => url !== '' && !/^(#|(data|blob|about|javascript):)/i.test(url);

/** Makes the URLs of a `source` absolute. */
function resolveSrcset(source: Element, base: string): void {
  const resolved = parseSrcset(source.getAttribute('srcset') ?? '').map(({ url, width, density }) => {
    const descriptor = width !== null ? ` ${width}w` : density !== 1 ? ` ${density}x` : '';
    return `${absoluteUrl(url, base) ?? url}${descriptor}`;
  });
  setAttribute(source, 'srcset', resolved.join(', '));
}

/** AMP's image element, as the `img` that its script makes of it. */
function renameToImg(element: Element): void {
  const { ownerDocument, parentNode } = element;
  if (!parentNode) return;
  const image = ownerDocument.createElement('img');
  for (const name of ['src', 'srcset', 'sizes', 'alt', 'title', 'width', 'height', 'class']) {
    const value = element.getAttribute(name);
    if (value !== null) image.setAttribute(name, value);
  }
  parentNode.replaceChild(image, element);
}

/** The image in the `noscript` directly beside this one. */
function noscriptCopy(image: Element): Element | null {
  const holder = [
    image.nextElementSibling,
    image.parentElement?.nextElementSibling,
    image.previousElementSibling,
  ].find((beside) => beside?.tagName === 'NOSCRIPT');
  return holder && !hasText(holder) ? imageIn(holder) : null;
}

const imageIn = (holder: Element): Element | null => {
  for (let node = holder.firstChild; node; node = nextNode(node, holder)) {
    if (isElement(node) && node.tagName === 'IMG' && node.hasAttribute('src')) return node;
  }
  return null;
};

/** Moves an image out of `noscript` if nothing stands in for it. */
function showNoscriptImages(holder: Element): void {
  if (!holder.parentNode || hasText(holder)) return;
  // Beside another image it is that one's copy; after a script it is a tracking pixel.
  if (holder.previousElementSibling && !isEmptyBox(holder.previousElementSibling)) return;
  const next = holder.nextElementSibling;
  if (next && (next.tagName === 'IMG' || imageIn(next))) return;
  for (const picture of select(holder, 'img')) {
    if (picture.getAttribute('width') === '1' || picture.getAttribute('height') === '1') continue;
    if (/display\s*:\s*none/i.test(picture.getAttribute('style') ?? '')) continue;
    holder.parentNode.insertBefore(picture, holder);
  }
}

/** An element that only reserves the image's space. */
const isEmptyBox = (element: Element): boolean =>
  /^(DIV|SPAN|FIGURE)$/.test(element.tagName) && element.firstChild === null;
