/**
 * The value of a `Refresh` header or `<meta http-equiv="refresh">`, parsed by HTML's "shared
 * declarative refresh steps".
 */
export interface Refresh {
  seconds: number;
  /** As written; null: to the page itself. */
  url: string | null;
}

/** Null if the value is invalid. */
export function parseRefresh(value: string): Refresh | null {
  const time = /^[\t\n\f\r ]*(\d*)[\d.]*/.exec(value);
  const [read = '', digits = ''] = time ?? [];
  if (digits === '' && !/\.[\d.]*$/.test(read)) return null;
  const seconds = digits === '' ? 0 : Number(digits);
  const rest = value.slice(read.length);
  if (rest === '') return { seconds, url: null };
  const separator = /^(?:[\t\n\f\r ]*[;,][\t\n\f\r ]*|[\t\n\f\r ]+)/.exec(rest);
  if (!separator) return null;
  const target = rest.slice(separator[0].length);
  if (target === '') return { seconds, url: null };
  const named = /^url[\t\n\f\r ]*=[\t\n\f\r ]*/i.exec(target);
  const address = named ? target.slice(named[0].length) : target;
  const [quote] = address;
  if (quote !== '"' && quote !== "'") return { seconds, url: address };
  const end = address.indexOf(quote, 1);
  return { seconds, url: end < 0 ? address.slice(1) : address.slice(1, end) };
}

/**
 * A refresh within this time is followed at once; a later one is a reload of a page meant to be
 * read.
 */
export const SOON_SECONDS = 10;
