import { createHash } from 'node:crypto';
import { select } from './document/dom.ts';
import { readJsonLd } from './metadata/structured-data.ts';

/**
 * Hash of what a page shows or declares beside its text and links: pictures, media, frames and
 * structured data. Pages of a gallery or variants of a product may differ in nothing else. Call
 * before the document is reduced to its main content.
 */
export function likenessOf(document: Document): string {
  const media = new Set<string>();
  for (const element of select(document, MEDIA)) {
    if (isPixel(element)) continue;
    for (const name of ADDRESSES) {
      const value = element.getAttribute(name)?.trim();
      if (value) media.add(value);
    }
  }
  const declared = select(document, DECLARED).map((meta) => meta.getAttribute('content'));
  return createHash('sha256')
    .update(JSON.stringify([[...media].sort(), declared, readJsonLd(document)]))
    .digest('hex');
}

const MEDIA = 'img, picture > source, video, audio, video > source, audio > source, iframe, embed, object';
const ADDRESSES = ['src', 'srcset', 'data-src', 'data-srcset', 'poster', 'data'] as const;
/** Not every `meta`: tokens and times differ from request to request. */
const DECLARED =
  'meta[itemprop], meta[name="description"], meta[property^="og:image"], meta[property^="product:"]';

/** Tracking pixels have a random address in each answer. */
const isPixel = (element: Element): boolean =>
  ['width', 'height'].some((name) => /^[0-3]$/.test(element.getAttribute(name) ?? ''));
