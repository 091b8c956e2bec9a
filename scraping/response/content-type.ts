import { computedMIMEType, MIMEType } from 'whatwg-mimetype';

/**
 * The type of a response. Both engines must agree on it, so it follows the standards: Fetch for
 * headers (several values, invalid values), MIME Sniffing for bodies.
 */

/**
 * The type a server names, such as `text/html`: the last valid value. Null if there is none; the
 * wildcard and the two "unknown" types count as none.
 */
export function namedType(contentType: string | null | undefined): string | null {
  const essence = lastNamed(contentType)?.essence;
  return essence === undefined || NAMELESS.has(essence) ? null : essence;
}

/** The last `charset` parameter of the header; null if there is none. */
export const namedCharset = (contentType: string | null): string | null =>
  typesIn(contentType)
    .findLast(({ parameters }) => parameters.has('charset'))
    ?.parameters.get('charset') ?? null;

function lastNamed(contentType: string | null | undefined): MIMEType | null {
  const types = typesIn(contentType);
  return types.findLast(({ essence }) => essence !== '*/*') ?? types.at(-1) ?? null;
}

function typesIn(contentType: string | null | undefined): MIMEType[] {
  if (!contentType) return [];
  // A quoted parameter may contain a comma.
  const values = contentType.includes('"') ? splitOutsideQuotes(contentType) : contentType.split(',');
  return values.map((value) => MIMEType.parse(value)).filter((type) => type !== null);
}

const splitOutsideQuotes = (text: string): string[] => {
  const parts = [''];
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '"') isQuoted = !isQuoted;
    if (character === ',' && !isQuoted) parts.push('');
    else parts[parts.length - 1] += character;
    if (character === '\\' && isQuoted) {
      at += 1;
      parts[parts.length - 1] += text[at] ?? '';
    }
  }
  return parts;
};

const NAMELESS = new Set(['*/*', 'unknown/unknown', 'application/unknown']);

/** The named type, or the sniffed type if none is named or binary data is named `text/plain`. */
export function typeOfDocument(
  body: Uint8Array,
  head: { contentType: string | null; headers: Readonly<Record<string, string>> },
): string {
  const named = namedType(head.contentType);
  // An empty body cannot be sniffed.
  if (body.length === 0) return named ?? 'text/html';
  if (named !== null && named !== 'text/plain') return fileByMark(body) ?? named;
  // UTF-16 contains zero bytes and would be sniffed as binary.
  if (named !== null && /charset\s*=\s*["']?\s*(utf-?16|ucs-?2|unicode)/i.test(head.contentType ?? ''))
    return named;
  const noSniff = /^\s*nosniff\s*(,|$)/i.test(head.headers['x-content-type-options'] ?? '');
  // Browsers sniff `text/plain` for binary data, also with `nosniff`.
  const options = named === null ? { noSniff } : { contentTypeHeader: named };
  return computedMIMEType(body, options).essence;
}

/** An image, an archive or a PDF labelled as a page: a browser renders it as garbage. */
function fileByMark(body: Uint8Array): string | null {
  const type = computedMIMEType(body, {}).essence;
  if (type === 'application/pdf') return type;
  // A text may start with a file's magic number.
  const isBinary = type !== 'application/octet-stream' && body.subarray(0, 64).some((byte) => byte < 9);
  return isBinary && isUnsupported(type) ? type : null;
}

/** Types without text to extract, also if a browser displays them as a document. */
export const isUnsupported = (contentType: string | null | undefined): boolean =>
  /^(image\/(?!svg)|audio\/|video\/|font\/|application\/(pdf|zip|octet-stream|x-7z|x-rar|x-gzip|gzip|ogg|postscript|vnd\.(?!wap\.xhtml)))/.test(
    namedType(contentType) ?? '',
  );

export const isDownload = (contentDisposition: string | null | undefined): boolean =>
  /^\s*attachment/i.test(contentDisposition ?? '');

/**
 * Combines several `Content-Type` values: the last valid one, with the charset of an earlier value
 * of the same type if it has none
 * (https://fetch.spec.whatwg.org/#concept-header-extract-mime-type).
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

/** The parts between commas outside of quotes. */
const OUTSIDE_QUOTES = /(?:"[^"]*"|[^,"]|")+/g;

const essenceOf = (type: string): string | null =>
  /^([!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+)\s*(?:;|$)/.exec(type)?.[1]?.toLowerCase() ?? null;
