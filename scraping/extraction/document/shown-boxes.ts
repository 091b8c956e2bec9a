/**
 * How the browser shows an element whose tag says otherwise, by computed style. The DOM snapshot
 * writes it into an attribute, which is read and removed when the page is parsed.
 */
export type ShownBox = 'block' | 'item';

const boxes = new WeakMap<Element, ShownBox>();

export const boxOf = (element: Element): ShownBox | undefined => boxes.get(element);
