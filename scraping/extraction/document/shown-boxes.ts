import { select, setAttribute } from './selector-index.ts';

/**
 * How the browser shows an element whose tag says otherwise, by computed style. The DOM snapshot
 * writes it into an attribute, which is read and removed when the page is parsed.
 */
export type ShownBox = 'block' | 'item';

/** `hidden`, `block` or `item`; `scraping/browser/dom-snapshot.ts` writes it. */
const SHOWN_BOX = 'data-leadengine-box';

const boxes = new WeakMap<Element, ShownBox>();

export const boxOf = (element: Element): ShownBox | undefined => boxes.get(element);

/** @returns the elements that are not shown */
export function readShownBoxes(document: Document): Element[] {
  const hidden: Element[] = [];
  for (const element of select(document, `[${SHOWN_BOX}]`)) {
    const box = element.getAttribute(SHOWN_BOX);
    if (box === 'hidden') hidden.push(element);
    if (box === 'block' || box === 'item') boxes.set(element, box);
    setAttribute(element, SHOWN_BOX, null);
  }
  return hidden;
}

/** The HTML as it was before the snapshot. */
export const withoutShownBoxes = (html: string): string =>
  html.includes(SHOWN_BOX) ? html.replace(/ data-leadengine-box="[a-z]+"/g, '') : html;
