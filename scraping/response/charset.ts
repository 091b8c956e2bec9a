import { isUtf8 } from 'node:buffer';
import { normalizeEncoding, TextDecoder as StandardDecoder } from '@exodus/bytes/encoding.js';
import { namedCharset } from './content-type.ts';
import { canBe, guessEncoding, isAscii } from './guess-encoding.ts';
import { labelInContent, prescan } from './meta-prescan.ts';

/** A decoded document. */
export interface Decoded {
  text: string;
  /** As browsers write it in `document.characterSet`. */
  charset: string;
}

/**
 * Where a document may declare its encoding: HTML in a `<meta>`, XML in its declaration, text
 * nowhere.
 */
export type Declaring = 'html' | 'xml' | 'text';

/**
 * Decodes a document as browsers do: by byte-order mark, else the server's charset, else the
 * document's declaration, else a guess from the bytes.
 *
 * @param url its top-level domain hints at the language of a page that does not declare one
 */
export function decodeDocument(
  bytes: Uint8Array,
  contentType: string | null,
  url: string,
  declaring: Declaring = 'html',
): Decoded {
  const encoding = sniffEncoding(bytes, contentType, url, declaring);
  return { text: decode(bytes, encoding), charset: displayName(encoding) };
}

/** The Encoding Standard's name in lower case, such as `windows-1252`. */
export function sniffEncoding(
  bytes: Uint8Array,
  contentType: string | null,
  url = '',
  declaring: Declaring = 'html',
): string {
  const encodingOf = (label: string | null) => standardName(label) ?? aliased(label, bytes);
  return (
    byteOrderMark(bytes) ??
    encodingOf(namedCharset(contentType)) ??
    encodingOf(labelInContent(contentType ?? '')) ??
    (declaring === 'text' ? null : prescan(bytes, (label) => inAscii(encodingOf(label)), declaring)) ??
    (isUtf8(bytes) && !isAscii(bytes) ? 'utf-8' : null) ??
    guessEncoding(bytes, url)
  );
}

function byteOrderMark([first, second, third]: Uint8Array): string | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return null;
}

/**
 * Null for an unknown label, and for labels that the standard maps to a single replacement
 * character (`hz-gb-2312`, `iso-2022-kr`): a guess keeps at least the ASCII text.
 */
function standardName(label: string | null): string | null {
  const name = label === null ? null : normalizeEncoding(label);
  return name === 'replacement' ? null : name;
}

/**
 * Labels from other programs that browsers do not know. Used if the bytes are valid in the
 * encoding: a browser would guess from the bytes, with the same or a worse result.
 */
function aliased(label: string | null, bytes: Uint8Array): string | null {
  const name = label?.trim().toLowerCase() ?? '';
  const encoding = /^utf[-_ ]?8/.test(name)
    ? 'utf-8'
    : standardName(ALIASES[name.replace(/[-_ ]/g, '')] ?? null);
  if (encoding === null || (encoding !== 'utf-8' && isUtf8(bytes))) return null;
  return canBe(bytes, encoding) ? encoding : null;
}

const ALIASES: Readonly<Record<string, string>> = {
  ...{ cp932: 'shift_jis', mskanji: 'shift_jis', sjiswin: 'shift_jis', windows932: 'shift_jis' },
  ...{ eucjpwin: 'euc-jp', eucjpms: 'euc-jp', ujis: 'euc-jp', jis: 'iso-2022-jp' },
  ...{ cp949: 'euc-kr', ms949: 'euc-kr', uhc: 'euc-kr', euckr: 'euc-kr', cp51949: 'euc-kr' },
  ...{ cp936: 'gbk', ms936: 'gbk', windows936: 'gbk', gb18030: 'gb18030', euccn: 'gbk' },
  ...{ cp950: 'big5', ms950: 'big5', windows950: 'big5', big5hk: 'big5', big5eten: 'big5' },
  ...{ cp874: 'windows-874', cp878: 'koi8-r', koi8: 'koi8-r', koi: 'koi8-r' },
  ...Object.fromEntries(
    [1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].flatMap((page) =>
      ['windows', 'win', 'ansi', 'ms', 'cp'].map((prefix) => [`${prefix}${page}`, `windows-${page}`]),
    ),
  ),
};

/** A declaration that can be read as ASCII is not in UTF-16, as the standard states. */
function inAscii(encoding: string | null): string | null {
  if (encoding === 'x-user-defined') return 'windows-1252';
  return encoding?.startsWith('utf-16') ? 'utf-8' : encoding;
}

/**
 * Node's decoder for UTF-8 only. Nearly all of its others deviate from the standard (windows-1252
 * and -1255, koi8-u, all Chinese, Japanese and Korean ones: nodejs/node#56542 and differences of
 * ICU's tables), so they are decoded with the standard's tables.
 */
const decode = (bytes: Uint8Array, encoding: string): string =>
  encoding === 'utf-8' ? new TextDecoder().decode(bytes) : new StandardDecoder(encoding).decode(bytes);

function displayName(encoding: string): string {
  if (/^(windows|x-|gb18030|macintosh)/.test(encoding)) return encoding;
  if (encoding === 'shift_jis') return 'Shift_JIS';
  return encoding === 'big5' ? 'Big5' : encoding.toUpperCase();
}
