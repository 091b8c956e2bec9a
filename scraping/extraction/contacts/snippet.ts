import { collapseSpaces } from '../document/dom.ts';

const LENGTH = 160;

/** The start of a text, up to 160 characters, as evidence. */
export const excerpt = (text: string): string => {
  const words = collapseSpaces(text.slice(0, LENGTH * 8));
  return words.length <= LENGTH ? words : `${words.slice(0, LENGTH - 1).trimEnd()}…`;
};

/** The text around a range, up to 160 characters. */
export function around(text: string, start: number, end: number): string {
  const margin = Math.max(0, Math.floor((LENGTH - (end - start)) / 2));
  return excerpt(text.slice(Math.max(0, start - margin), end + margin));
}
