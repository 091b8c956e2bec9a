/**
 * Where a page sends its reader on by itself, with the header `Refresh` or a `<meta http-equiv="refresh">`: HTML's "shared declarative
 * refresh steps" read both.
 */
export interface Refresh {
  seconds: number;
  /** As written; null: to the page itself. */
  url: string | null;
}

/** Null for what a browser does not understand either. */
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

/** Where the browser would be soon is where a reader is sent, and followed at once; later ones are for those who read on. */
export const SOON_SECONDS = 10;
