import { computedMIMEType, MIMEType } from 'whatwg-mimetype';

/**
 * What a response is. The engines must agree on it, so both follow the standards: Fetch in what a header says (several values, values
 * that are none), MIME Sniffing in what bytes are.
 */

/**
 * The type a server names, such as `text/html`: the last value that is one. Null where it names none; "anything" and the two "unknown"
 * types say as much.
 */
export function namedType(contentType: string | null | undefined): string | null {
  const essence = lastNamed(contentType)?.essence;
  return essence === undefined || NAMELESS.has(essence) ? null : essence;
}

/** The `charset` it names, of several values the last; null for none. */
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
  // A comma may stand in a quoted parameter; only there is a quotation mark.
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

/** The type a document is read as: what the server names, or what its bytes are where it names none, or calls bytes text. */
export function typeOfDocument(
  body: Uint8Array,
  head: { contentType: string | null; headers: Readonly<Record<string, string>> },
): string {
  const named = namedType(head.contentType);
  // Nothing is nothing to read, whatever it would be.
  if (body.length === 0) return named ?? 'text/html';
  if (named !== null && named !== 'text/plain') return fileByMark(body) ?? named;
  // UTF-16 is full of zeros, which are in no other text.
  if (named !== null && /charset\s*=\s*["']?\s*(utf-?16|ucs-?2|unicode)/i.test(head.contentType ?? ''))
    return named;
  const noSniff = /^\s*nosniff\s*(,|$)/i.test(head.headers['x-content-type-options'] ?? '');
  // Of text the browser looks whether it is any, `nosniff` or not.
  const options = named === null ? { noSniff } : { contentTypeHeader: named };
  return computedMIMEType(body, options).essence;
}

/** A picture, an archive or a PDF that its server calls a page: what a browser draws of it is no text. */
function fileByMark(body: Uint8Array): string | null {
  const type = computedMIMEType(body, {}).essence;
  if (type === 'application/pdf') return type;
  // A text may begin as some files do.
  const isBinary = type !== 'application/octet-stream' && body.subarray(0, 64).some((byte) => byte < 9);
  return isBinary && isUnsupported(type) ? type : null;
}

/** Of whole documents: a browser shows a lone picture or film as a page, but there is nothing in it to read. */
export const isUnsupported = (contentType: string | null | undefined): boolean =>
  /^(image\/(?!svg)|audio\/|video\/|font\/|application\/(pdf|zip|octet-stream|x-7z|x-rar|x-gzip|gzip|ogg|postscript|vnd\.(?!wap\.xhtml)))/.test(
    namedType(contentType) ?? '',
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
