import { createRequire } from 'node:module';
import { normalizeEncoding, TextDecoder as StandardDecoder } from '@exodus/bytes/encoding.js';
import { parseUrl } from '../../core/parse-url.ts';

/**
 * Guesses the encoding of a document that declares none and is not valid UTF-8: by which encodings
 * its bytes are valid in and by letter frequencies. Encodings common for its language or top-level
 * domain go first. Returns the Encoding Standard's name.
 */
export function guessEncoding(bytes: Uint8Array, url: string): string {
  // ISO-2022-JP is ASCII only; its escape sequences occur in no other encoding.
  if (isAscii(bytes))
    return (
      utf16WithoutMark(bytes) ??
      (bytes.includes(0x1b) && ISO_2022_JP.test(latin1(bytes)) ? 'iso-2022-jp' : 'windows-1252')
    );
  return utf16WithoutMark(bytes) ?? (isMostlyUtf8(bytes) ? 'utf-8' : legacyEncoding(bytes, url));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence starts with it
const ISO_2022_JP = /\x1b\$[@B]/;

/** Markup is ASCII, so in UTF-16 every other byte of it is zero. */
function utf16WithoutMark(bytes: Uint8Array): string | null {
  const beginning = bytes.subarray(0, 2048);
  const pairs = beginning.length >> 1;
  let [first, second] = [0, 0];
  for (let at = 0; at + 1 < beginning.length; at += 2) {
    if (beginning[at] === 0) first += 1;
    if (beginning[at + 1] === 0) second += 1;
  }
  if (second > pairs / 3 && first < pairs / 50) return 'utf-16le';
  return first > pairs / 3 && second < pairs / 50 ? 'utf-16be' : null;
}

/** Tolerates a truncated character and a few words in another encoding. */
function isMostlyUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes, { stream: true });
  const broken = text.split('\ufffd').length - 1;
  let letters = 0;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) letters += 1;
  return letters - broken > 2 * broken;
}

function legacyEncoding(bytes: Uint8Array, url: string): string {
  const { words, letters, share } = evidenceIn(bytes);
  const language = languageOf(bytes) ?? languageOfDomain(url);
  const hinted = (language && LEGACY[language]) || [];
  if (letters < FEW_LETTERS) {
    return hinted.find((encoding) => canBe(words, encoding, true)) ?? 'windows-1252';
  }
  const isForeign = share >= FOREIGN_SHARE;
  const own = isForeign || hinted.length === 0 ? hinted : [...hinted, 'windows-1252'];
  return detect(words, own.length > 0 ? own : isForeign ? OTHERS : LATIN) ?? 'windows-1252';
}

/** With fewer non-ASCII letters windows-1252 is assumed: a name, an amount, quotation marks. */
const FEW_LETTERS = 3;
/** Share of non-ASCII letters in words that have some: small in Latin scripts, near 1 in others. */
const FOREIGN_SHARE = 0.65;
/** Limit for the non-ASCII text that is examined. */
const MOST_CHARACTERS = 64 * 1024;

interface Evidence {
  /** Lines and texts between tags with non-ASCII bytes. */
  words: Buffer;
  /** Number of non-ASCII letters. */
  letters: number;
  share: number;
}

/** Collects non-ASCII text without markup, so that a title and one line are enough evidence. */
function evidenceIn(bytes: Uint8Array): Evidence {
  let words = '';
  for (const text of latin1(bytes).split(/[<>\r\n]/)) {
    if (!/[\x80-\xff]/.test(text)) continue;
    words += `${text.slice(0, MOST_CHARACTERS - words.length)}\n`;
    if (words.length >= MOST_CHARACTERS) break;
  }
  let [letters, ascii] = [0, 0];
  for (const word of words.split(/[^A-Za-z\x80-\xff]+/)) {
    const high = word.replace(/[^\x80-\xff]/g, '').length;
    // A single byte in the range of windows-125x punctuation and symbols.
    if (high === 0 || /^[\x80-\xbf]$/.test(word)) continue;
    letters += high;
    ascii += word.length - high;
  }
  return { words: Buffer.from(words, 'latin1'), letters, share: letters / (letters + ascii || 1) };
}

const LATIN = [
  'windows-1252',
  'windows-1250',
  'iso-8859-2',
  'windows-1254',
  'windows-1257',
  'windows-1258',
  // The second byte of a character may be ASCII: for Katakana in Shift_JIS it mostly is.
  'shift_jis',
  'gb18030',
  'big5',
] as const;
const OTHERS = [
  'windows-1251',
  'koi8-r',
  'koi8-u',
  'windows-1253',
  'iso-8859-7',
  'windows-1255',
  'windows-1256',
  'windows-1258',
  'windows-874',
  'shift_jis',
  'euc-jp',
  'euc-kr',
  'gb18030',
  'big5',
] as const;

interface Detector {
  detect(
    bytes: Uint8Array,
    options: { includeEncodings: string[]; noMatchEncoding: string; emptyInputEncoding: string },
  ): { encoding: string | null };
}

/**
 * Loaded for the first page that needs it: it costs 60 MB and 100 ms, and most workers never need
 * it.
 */
let detector: Detector | null = null;

function detect(words: Buffer, among: readonly string[]): string | null {
  const possible = among.filter((encoding) => canBe(words, encoding, true));
  // If a wrong byte rules out all encodings, all are compared.
  const [first, ...others] = possible.length > 0 ? possible : among;
  if (first === undefined || others.length === 0) return first ?? null;
  detector ??= (createRequire(import.meta.url)('jschardet') as { chardet: Detector }).chardet;
  const include = [first, ...others].map((encoding) => DETECTORS_NAMES.get(encoding) ?? encoding);
  const { encoding } = detector.detect(words, {
    includeEncodings: include,
    noMatchEncoding: include[0] ?? '',
    emptyInputEncoding: include[0] ?? '',
  });
  return encoding === null ? null : (OUR_NAMES.get(encoding.toLowerCase()) ?? normalizeEncoding(encoding));
}

/** The detector's names by the standard's. */
const DETECTORS_NAMES = new Map([
  ['windows-874', 'cp874'],
  ['shift_jis', 'cp932'],
  ['euc-jp', 'euc-jis-2004'],
  ['euc-kr', 'cp949'],
  ['big5', 'big5hkscs'],
  ['ibm866', 'cp866'],
]);
const OUR_NAMES = new Map([...DETECTORS_NAMES].map(([ours, detectors]) => [detectors, ours]));

/** Legacy encodings per language, most likely first. */
const LEGACY: Readonly<Record<string, readonly string[]>> = {
  ar: ['windows-1256', 'iso-8859-6'],
  ba: ['windows-1251'],
  be: ['windows-1251', 'koi8-u'],
  bg: ['windows-1251', 'koi8-r'],
  cs: ['windows-1250', 'iso-8859-2'],
  el: ['windows-1253', 'iso-8859-7'],
  et: ['windows-1257'],
  fa: ['windows-1256'],
  he: ['windows-1255'],
  hr: ['windows-1250', 'iso-8859-2'],
  hu: ['iso-8859-2', 'windows-1250'],
  ja: ['shift_jis', 'euc-jp'],
  kk: ['windows-1251'],
  ko: ['euc-kr'],
  lt: ['windows-1257'],
  lv: ['windows-1257'],
  mk: ['windows-1251'],
  pl: ['iso-8859-2', 'windows-1250'],
  ro: ['windows-1250', 'iso-8859-2'],
  ru: ['windows-1251', 'koi8-r', 'ibm866', 'iso-8859-5'],
  sk: ['windows-1250', 'iso-8859-2'],
  sl: ['iso-8859-2', 'windows-1250'],
  sr: ['windows-1251', 'windows-1250'],
  th: ['windows-874'],
  tr: ['windows-1254'],
  uk: ['windows-1251', 'koi8-u'],
  vi: ['windows-1258'],
  zh: ['gb18030', 'big5'],
  'zh-tw': ['big5', 'gb18030'],
};

/** Languages of country domains with another code. */
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
/** Country codes that are codes of other languages. */
const NO_LANGUAGES = new Set(['ar', 'ba', 'be', 'et', 'sl', 'sr', 'uk', 'vi']);

function languageOf(bytes: Uint8Array): string | null {
  const head = latin1(bytes.subarray(0, 4096));
  const tag = /<html\b[^>]*?\blang\s*=\s*["']?([a-z]{2,3}(?:-[a-z]+)*)/i.exec(head)?.[1]?.toLowerCase();
  if (!tag) return null;
  return /^zh-(tw|hk|hant)/.test(tag) ? 'zh-tw' : (tag.split('-')[0] ?? null);
}

function languageOfDomain(url: string): string | null {
  const domain = parseUrl(url)?.hostname.split('.').at(-1) ?? '';
  return LANGUAGES_OF_DOMAINS[domain] ?? (NO_LANGUAGES.has(domain) ? null : domain);
}

/** Whether bytes are valid in an encoding. */
export function canBe(bytes: Uint8Array, encoding: string, isCut = false): boolean {
  try {
    new StandardDecoder(encoding, { fatal: true }).decode(bytes, { stream: isCut });
    return true;
  } catch {
    return false;
  }
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

export const isAscii = (bytes: Uint8Array): boolean => {
  for (const byte of bytes) if (byte > 0x7f) return false;
  return true;
};
