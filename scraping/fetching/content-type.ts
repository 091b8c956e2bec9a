/** Of whole documents: a browser shows a lone picture or film as a page, but there is nothing in it to read. */
export const isUnsupported = (contentType: string | null | undefined): boolean =>
  /^(image\/(?!svg)|audio\/|video\/|font\/|application\/(pdf|zip|octet-stream|x-7z|x-rar|gzip|vnd\.(?!wap\.xhtml)))/i.test(
    contentType ?? '',
  );

export const isDownload = (contentDisposition: string | null | undefined): boolean =>
  /^\s*attachment/i.test(contentDisposition ?? '');

/**
 * The one type of an answer that names several, in several headers or in one: the last that is one, with the charset of an earlier
 * one of its kind where it names none (https://fetch.spec.whatwg.org/#concept-header-extract-mime-type).
 *
 * @param values of each header `Content-Type`, in order
 */
export function effectiveContentType(values: readonly string[]): string | null {
  const [only, second] = values;
  if (only === undefined) return null;
  if (second === undefined && !only.includes(',')) return only;
  let chosen: { type: string; essence: string } | undefined;
  let charset: string | undefined;
  for (const value of values.flatMap((list) => list.match(OUTSIDE_QUOTES) ?? [])) {
    const type = value.trim();
    const essence = essenceOf(type);
    if (essence === null || essence === '*/*') continue;
    const named = /;\s*charset=\s*("[^"]*"|[^;\s]+)/i.exec(type)?.[1];
    charset = essence === chosen?.essence ? (named ?? charset) : named;
    chosen = { type: named === undefined && charset ? `${type}; charset=${charset}` : type, essence };
  }
  return chosen?.type ?? only;
}

/** What stands between commas. */
const OUTSIDE_QUOTES = /(?:"[^"]*"|[^,"]|")+/g;

const essenceOf = (type: string): string | null =>
  /^([!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+)\s*(?:;|$)/.exec(type)?.[1]?.toLowerCase() ?? null;
