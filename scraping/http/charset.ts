import { isUtf8 } from 'node:buffer';
import { labelInContent, prescan } from './meta-prescan.ts';

/** What a document's bytes mean. */
export interface Decoded {
  text: string;
  /** As browsers write it in `document.characterSet`. */
  charset: string;
}

/**
 * Decodes a document as a browser does: by its byte-order mark, else what the server said, else what the document says of itself,
 * else by what the bytes can be.
 *
 * @param url whose top-level domain hints at the language of a page that does not tell it
 */
export function decodeDocument(bytes: Uint8Array, contentType: string | null, url: string): Decoded {
  const encoding = sniffEncoding(bytes, contentType, url);
  return { text: decode(bytes, encoding), charset: displayName(encoding) };
}

/** The standard's name of the encoding in lower case, such as `windows-1252`. */
export function sniffEncoding(bytes: Uint8Array, contentType: string | null, url = ''): string {
  return (
    byteOrderMark(bytes) ??
    encodingOf(labelInContent(contentType ?? '')) ??
    prescan(bytes, declared) ??
    (isUtf8(bytes) && !isAscii(bytes) ? 'utf-8' : null) ??
    legacyEncoding(bytes, url)
  );
}

function byteOrderMark([first, second, third]: Uint8Array): string | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return null;
}

/** Null for a label that names no encoding. */
function encodingOf(label: string | null): string | null {
  if (label === null) return null;
  if (/^x-user-defined$/i.test(label)) return 'windows-1252';
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null;
  }
}

/** A document whose declaration could be read as ASCII is not in UTF-16, whatever it declares. */
function declared(label: string): string | null {
  const encoding = encodingOf(label);
  return encoding?.startsWith('utf-16') ? 'utf-8' : encoding;
}

/**
 * For the few that say nothing and are not UTF-8: what pages of their language were mostly written in (the standard's table of
 * fallbacks), where the bytes can be that at all.
 */
function legacyEncoding(bytes: Uint8Array, url: string): string {
  // All bytes of ISO-2022-JP are ASCII; its escapes stand in nothing else.
  if (isAscii(bytes))
    return bytes.includes(0x1b) && ISO_2022_JP.test(latin1(bytes)) ? 'iso-2022-jp' : 'windows-1252';
  const language = languageOf(bytes) ?? languageOfDomain(url);
  const candidates = (language && LEGACY[language]) || [];
  return candidates.find((encoding) => canBe(bytes, encoding)) ?? 'windows-1252';
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what begins an escape
const ISO_2022_JP = /\x1b\$[@B]/;

const LEGACY: Readonly<Record<string, readonly string[]>> = {
  ar: ['windows-1256'],
  ba: ['windows-1251'],
  be: ['windows-1251'],
  bg: ['windows-1251'],
  cs: ['windows-1250'],
  el: ['iso-8859-7'],
  et: ['windows-1257'],
  fa: ['windows-1256'],
  he: ['windows-1255'],
  hr: ['windows-1250'],
  hu: ['iso-8859-2'],
  ja: ['euc-jp', 'shift_jis'],
  kk: ['windows-1251'],
  ko: ['euc-kr'],
  lt: ['windows-1257'],
  lv: ['windows-1257'],
  mk: ['windows-1251'],
  pl: ['iso-8859-2'],
  ru: ['windows-1251'],
  sk: ['windows-1250'],
  sl: ['iso-8859-2'],
  sr: ['windows-1251'],
  th: ['windows-874'],
  tr: ['windows-1254'],
  uk: ['windows-1251'],
  vi: ['windows-1258'],
  zh: ['gb18030', 'big5'],
  'zh-tw': ['big5', 'gb18030'],
};

/** Of a country, where its name differs from its language's. */
const LANGUAGES_OF_DOMAINS: Readonly<Record<string, string>> = {
  by: 'be',
  cn: 'zh',
  cz: 'cs',
  ee: 'et',
  gr: 'el',
  hk: 'zh-tw',
  il: 'he',
  ir: 'fa',
  jp: 'ja',
  kr: 'ko',
  kz: 'kk',
  rs: 'sr',
  si: 'sl',
  su: 'ru',
  tw: 'zh-tw',
  ua: 'uk',
  vn: 'vi',
};
/** Names of countries that are names of other languages. */
const NO_LANGUAGES = new Set(['ar', 'ba', 'be', 'et', 'sl', 'sr', 'uk', 'vi']);

function languageOf(bytes: Uint8Array): string | null {
  const head = latin1(bytes.subarray(0, 4096));
  const tag = /<html\b[^>]*?\blang\s*=\s*["']?([a-z]{2,3}(?:-[a-z]+)*)/i.exec(head)?.[1]?.toLowerCase();
  if (!tag) return null;
  return /^zh-(tw|hk|hant)/.test(tag) ? 'zh-tw' : (tag.split('-')[0] ?? null);
}

function languageOfDomain(url: string): string | null {
  const domain = URL.canParse(url) ? (new URL(url).hostname.split('.').at(-1) ?? '') : '';
  return LANGUAGES_OF_DOMAINS[domain] ?? (NO_LANGUAGES.has(domain) ? null : domain);
}

function canBe(bytes: Uint8Array, encoding: string): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

const isAscii = (bytes: Uint8Array): boolean => {
  for (const byte of bytes) if (byte > 0x7f) return false;
  return true;
};

function decode(bytes: Uint8Array, encoding: string): string {
  return encoding === 'windows-1252' ? decodeWindows1252(bytes) : new TextDecoder(encoding).decode(bytes);
}

/** By hand, because Node's own decoder takes it for ISO-8859-1 (nodejs/node#56542): quotes and the euro sign come out as controls. */
function decodeWindows1252(bytes: Uint8Array): string {
  return latin1(bytes).replace(/[\x80-\x9f]/g, (control) => C1[control.charCodeAt(0) - 0x80] ?? control);
}

const C1 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

function displayName(encoding: string): string {
  if (/^(windows|x-|gb18030|macintosh)/.test(encoding)) return encoding;
  if (encoding === 'shift_jis') return 'Shift_JIS';
  return encoding === 'big5' ? 'Big5' : encoding.toUpperCase();
}
