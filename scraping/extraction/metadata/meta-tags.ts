import { cleanLine } from '../document/blanks.ts';
import { select } from '../document/dom.ts';

/** Characters per value. */
const MAX_VALUE = 5000;

/** The first value of each `meta`, by its name in lower case. */
export type MetaTags = ReadonlyMap<string, string>;

export function metaTags(document: Document): MetaTags {
  const tags = new Map<string, string>();
  for (const tag of select(document, 'meta[content]')) {
    const value = cleanLine(tag.getAttribute('content')).slice(0, MAX_VALUE);
    if (!value) continue;
    for (const attribute of ['property', 'name', 'itemprop', 'http-equiv']) {
      const name = tag.getAttribute(attribute)?.toLowerCase();
      // The first tag wins, as in other consumers of these tags.
      if (name && !tags.has(name)) tags.set(name, value);
    }
  }
  return tags;
}
