import { numberMarks } from './locale.ts';

/**
 * The first number in a text, in any country's notation. If both `.` and `,` occur, the last one is
 * the decimal mark. A single one before three digits groups or not by language and currency.
 *
 * @param language of the text; null if unknown
 * @returns a number; a string of its digits if it has more than a number can hold exactly; null if
 *   there is none: also for phone numbers, dates, times and versions
 */
export function numberIn(text: string, language: string | null = null): number | string | null {
  const plain = latinDigits(text.slice(0, MAX_CHARS)).trim();
  if (isPhone(plain)) return null;
  const found = FIRST.exec(plain) ?? ANYWHERE.exec(plain);
  if (!found) return VULGAR_ALONE.test(plain) ? vulgar(VULGAR_ALONE.exec(plain)?.[0] ?? '') : null;
  const before = plain.slice(0, found.index);
  const run = found[0];
  const after = plain.slice(found.index + run.length);
  const digits = groupedPart(run);
  const rest = run.slice(digits.length) + after;
  if (/^:\d/.test(rest) || /^-\d\d-\d\d/.test(rest) || /^\/\d{1,4}\//.test(rest)) return null;
  const isNegative = isMinus(before) || isInParentheses(plain);
  const fraction = fractionAfter(digits, rest);
  if (fraction !== null) return signed(String(fraction), isNegative);
  const exponent = /^[eE]([+-]?\d{1,5})(?![\p{L}\d])/u.exec(rest)?.[1];
  const decimal = plainDecimal(digits, {
    ...{ language, isWhole: /^\s?[.,]\s?[-–—]/.test(rest) },
    currency: currencyAround(before, rest),
  });
  if (decimal === null) return null;
  if (exponent !== undefined) {
    const value = Number(`${decimal}e${exponent}`);
    return Number.isFinite(value)
      ? isNegative
        ? -value
        : value
      : `${isNegative ? '-' : ''}${digits}e${exponent}`;
  }
  const power = powerAfter(rest, currencyAround(before, '') !== null || currencyAround('', rest) !== null);
  return signed(power === 0 ? decimal : String(Number(`${decimal}e${power}`)), isNegative);
}

const MAX_CHARS = 1000;
const SEPARATORS = ".,'’\u00a0\u202f\u2009\u2007 ٫٬·";
const RUN = `\\d(?:[\\d${SEPARATORS}]{0,80}\\d)?`;
const FIRST = new RegExp(`(?<![\\d\\p{L}]|\\d[.,])(?:[.,](?=\\d))?${RUN}`, 'u');
const ANYWHERE = new RegExp(RUN, 'u');

const ZEROS = [
  0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20, 0x1040,
  0x17e0, 0xff10,
];

/** Digits of other scripts and full-width signs, as ASCII. */
const latinDigits = (text: string): string =>
  text
    .replace(/[^\P{Nd}0-9]/gu, (digit) => {
      const code = digit.codePointAt(0) ?? 0;
      const zero = ZEROS.find((start) => code >= start && code < start + 10);
      return zero === undefined ? digit : String(code - zero);
    })
    .replace(/[．，－＋￥％]/g, (sign) => sign.normalize('NFKC'))
    .replace(/٫/g, '.')
    .replace(/٬/g, ',');

/** All digits, more than six, as telephone numbers are written. */
const isPhone = (text: string): boolean =>
  /^(?:\+|00|0|\()[\d\s()/.-]{6,30}$/.test(text) &&
  text.replace(/\D/g, '').length >= 7 &&
  /[\s()/-]|^\+|^0\d{6,}$/.test(text) &&
  !/^0[.,]\d+$/.test(text);

/** The run up to where a space or mark no longer separates groups of it. */
function groupedPart(run: string): string {
  const spaced = /^\d{1,3}(?:([ \u00a0\u202f\u2009\u2007'’])\d{3}(?!\d))(?:\1\d{3}(?!\d))*(?:[.,]\d+)?/.exec(
    run,
  );
  if (spaced) return spaced[0];
  return /^[.,]?\d[\d.,·]*/.exec(run)?.[0].replace(/[.,·]+$/, '') ?? run;
}

interface Context {
  language: string | null;
  /** `,-` or `.–` follows: what is before it is whole. */
  isWhole: boolean;
  currency: string | null;
}

/** As JavaScript writes it; null if the marks make no number of it. */
function plainDecimal(digits: string, context: Context): string | null {
  const text = digits.replace(/[ \u00a0\u202f\u2009\u2007'’]/g, '').replace(/·/g, '.');
  if (/^[.,]/.test(text)) return /^[.,]\d+$/.test(text) ? `0.${text.slice(1)}` : null;
  const [dots, commas] = [text.split('.').length - 1, text.split(',').length - 1];
  if (dots === 0 && commas === 0) return text;
  if (dots > 0 && commas > 0) {
    const decimal = text.lastIndexOf('.') > text.lastIndexOf(',') ? '.' : ',';
    const [whole = '', ...fraction] = text.split(decimal);
    if (fraction.length !== 1 || /[.,]/.test(fraction[0] ?? '')) return null;
    return isGrouped(whole) ? `${whole.replace(/[.,]/g, '')}.${fraction[0]}` : null;
  }
  const mark = dots > 0 ? '.' : ',';
  if (dots + commas > 1) return isGrouped(text) ? text.replace(/[.,]/g, '') : null;
  const [whole = '', fraction = ''] = text.split(mark);
  return groups(mark, whole, fraction, context) ? whole + fraction : `${whole}.${fraction}`;
}

/** In threes; or in twos and a last three, as in India. */
const isGrouped = (whole: string): boolean =>
  /^\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*$/.test(whole) ||
  /^\d{1,2}(?:,\d\d)+,\d{3}$/.test(whole) ||
  /^\d+$/.test(whole);

/** Whether a single mark groups thousands. */
function groups(
  mark: string,
  whole: string,
  fraction: string,
  { language, isWhole, currency }: Context,
): boolean {
  if (fraction.length !== 3 || whole.length > 3 || whole.startsWith('0')) return false;
  if (isWhole) return true;
  if (currency === 'three decimals') return false;
  const known = numberMarks(language);
  if (known === null) return mark === ',' || currency === 'comma';
  if (mark !== known.decimal) return true;
  // Nobody writes three decimals of euros on an English page, or of dollars on a Spanish one.
  return currency === (mark === '.' ? 'comma' : 'dot');
}

const COMMA_CURRENCY =
  /€|\bEUR\b|\bkr\.?(?!\p{L})|\b(?:SEK|NOK|DKK|PLN|CZK|HUF|RON|BRL|TRY|RUB|UAH|ARS|CLP|COP|IDR)\b|zł|Kč|\bFt\b|\blei\b|R\$|₽|₺|₴|₫|\bRp\b/iu;
const DOT_CURRENCY =
  /[$£¥₹₩₪฿]|\b(?:USD|GBP|JPY|CNY|INR|AUD|CAD|CHF|HKD|SGD|NZD|MXN|KRW|ILS|Fr)\b|円|元|원/iu;
const THREE_DECIMALS = /\b(?:KWD|BHD|OMR|TND|JOD|IQD|LYD)\b|د\.ك|د\.ب/u;

/** The kind of a currency directly before or after the number. */
function currencyAround(before: string, after: string): 'comma' | 'dot' | 'three decimals' | null {
  const near = `${before.slice(-8)} ${after.slice(0, 10).replace(/^[.,]\s?[-–—]+/, '')}`;
  if (THREE_DECIMALS.test(near)) return 'three decimals';
  if (COMMA_CURRENCY.test(near)) return 'comma';
  return DOT_CURRENCY.test(near) ? 'dot' : null;
}

/** A sign before the number or its currency; not the dash of a range. */
const isMinus = (before: string): boolean =>
  /(?:^|[^\d\p{L}\s])?(?:^|\s|[€$£¥(:])[-−–]\s?(?:[€$£¥₹]|R\$)?\s?$/u.test(before);

/** Accountants' way: `(1,234.50)`, with a currency at most. */
const isInParentheses = (text: string): boolean =>
  /^[€$£¥₹\s]*\([€$£¥₹\s]*[\d.,'’ \u00a0\u202f]+[€$£¥₹%\s]*\)[€$£¥₹\s]*$/u.test(text) &&
  /[.,]|[€$£¥₹]/.test(text);

const VULGAR_ALONE = /[½⅓⅔¼¾⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚]/u;

function vulgar(sign: string): number {
  const [numerator, denominator] = sign.normalize('NFKC').split('⁄').map(Number);
  return (numerator ?? 0) / (denominator ?? 1);
}

/** `1½`, `1 1/2`, `3/4`; null if no fraction follows. */
function fractionAfter(digits: string, rest: string): number | null {
  if (!/^\d{1,6}$/.test(digits)) return null;
  const sign = /^\s?([½⅓⅔¼¾⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚])/u.exec(rest)?.[1];
  if (sign) return Number(digits) + vulgar(sign);
  const mixed = /^\s(\d{1,2})[/⁄](2|3|4|8|16|32|64)(?![\d/])/.exec(rest);
  if (mixed && Number(mixed[1]) < Number(mixed[2]))
    return Number(digits) + Number(mixed[1]) / Number(mixed[2]);
  const alone = /^[/⁄](2|3|4|8|16|32|64)(?![\d/])/.exec(rest);
  return alone && Number(digits) < Number(alone[1]) ? Number(digits) / Number(alone[1]) : null;
}

/** Thousands, millions and the like as words and letters; letters of millions only for money. */
function powerAfter(rest: string, isMoney: boolean): number {
  if (/^\s?(?:k|tsd\.?|тыс\.?)(?![\p{L}\d])/iu.test(rest)) return 3;
  if (
    /^\s?(?:mio\.?|mln\.?|млн\.?|million(?:en|s|i|er)?|millones|millón|milhões|milhão|milioni)(?!\p{L})/iu.test(
      rest,
    )
  )
    return 6;
  if (/^\s?(?:mrd\.?|mld\.?|млрд\.?|milliarde?n?s?|miliardi?|bn)(?!\p{L})/iu.test(rest)) return 9;
  if (!isMoney) return 0;
  if (/^\s?(?:m|mn|mm)(?![\p{L}\d²³])/iu.test(rest)) return 6;
  return /^\s?(?:b|billion)(?![\p{L}\d])/iu.test(rest) ? 9 : 0;
}

/** A number if it holds all digits, else the digits. */
function signed(decimal: string, isNegative: boolean): number | string {
  const text = decimal.replace(/^0+(?=\d)/, '');
  const value = Number(text);
  const isExact = text.includes('.')
    ? text.replace(/[.]/, '').replace(/^0+|0+$/g, '').length <= 15
    : Number.isSafeInteger(value);
  if (!isExact && !text.includes('e')) return `${isNegative ? '-' : ''}${text}`;
  return isNegative && value !== 0 ? -value : value;
}
