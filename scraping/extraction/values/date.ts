import type { Notation } from './locale.ts';
import { monthNamed } from './month-names.ts';

/**
 * The first date in a text, as ISO 8601: `YYYY-MM-DD`, with `THH:MM:SS` and the time zone if the
 * text has them. Null for none, for a day that does not exist, for `today`, and for `03/04/2026` if
 * neither language nor the page's other dates tell whether the day comes first.
 */
export function dateIn(text: string, notation: Notation): string | null {
  const plain = latinDigits(text.slice(0, MAX_CHARS))
    .replace(/[\u200e\u200f]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  for (const read of [yearFirst, numeric, named]) {
    const found = read(plain, notation);
    if (found === null) continue;
    const day = toDay(found);
    return day === null ? null : day + timeIn(plain.slice(found.end));
  }
  return null;
}

const MAX_CHARS = 500;

interface Found {
  year: number;
  month: number;
  day: number;
  /** Where the text goes on. */
  end: number;
}

/** `2026-03-04`, `2026/3/4`, `2026年3月4日`, `2026. 3. 4.`, `令和8年3月4日`. */
function yearFirst(text: string): Found | null {
  const era = /(令和|平成|昭和)\s?(\d{1,2}|元)年\s?(\d{1,2})月\s?(\d{1,2})日/.exec(text);
  if (era) {
    const start = { 令和: 2018, 平成: 1988, 昭和: 1925 }[era[1] ?? ''] ?? 0;
    const year = start + (era[2] === '元' ? 1 : Number(era[2]));
    return { year, month: Number(era[3]), day: Number(era[4]), end: era.index + era[0].length };
  }
  const found =
    /(?<![\d.])((?:19|20|25)\d\d)(?:\s?[年년]\s?|\.\s?|[-/])(\d{1,2})(?:\s?[月월]\s?|\.\s?|[-/])(\d{1,2})(?:\s?[日일]|\.)?(?!\d)/.exec(
      text,
    ) ?? /^((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)/.exec(text);
  if (!found) return null;
  const [whole, year, month, day] = found;
  return { year: Number(year), month: Number(month), day: Number(day), end: found.index + whole.length };
}

const NUMERIC =
  /(?<![\d.,/-])(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?((?:19|20|25)\d\d|\d\d)(?![\d/])(?!\.\d)/;

/** `04.03.2026`, `31/12/2026`, `3-4-26`. */
function numeric(text: string, notation: Notation): Found | null {
  const found = NUMERIC.exec(text);
  if (!found) return null;
  const [whole, a = '', mark, b = '', c = ''] = found;
  const order = orderOf(Number(a), Number(b), mark === '.', notation);
  if (order === null) return { year: 0, month: 0, day: 0, end: 0 };
  const [day, month] = order === 'dmy' ? [Number(a), Number(b)] : [Number(b), Number(a)];
  return { year: fullYear(c), month, day, end: found.index + whole.length };
}

const fullYear = (year: string): number =>
  year.length === 4 ? Number(year) : Number(year) + (Number(year) < 70 ? 2000 : 1900);

function orderOf(
  a: number,
  b: number,
  hasDots: boolean,
  { language, order }: Notation,
): 'dmy' | 'mdy' | null {
  if (hasDots || a === b || a > 12) return 'dmy';
  if (b > 12) return 'mdy';
  if (order) return order;
  // English alone may be either.
  if (language === null || language === 'en') return null;
  try {
    const parts = new Intl.DateTimeFormat(language).formatToParts(0).map(({ type }) => type);
    return parts.indexOf('month') < parts.indexOf('day') && parts.indexOf('year') > parts.indexOf('day')
      ? 'mdy'
      : 'dmy';
  } catch {
    return null;
  }
}

/** Which of day and month comes first in the dates of a page: those that can be read in one way. */
export function orderIn(text: string): 'dmy' | 'mdy' | null {
  let [dayFirst, monthFirst] = [0, 0];
  for (const [, a, b] of text
    .slice(0, 200_000)
    .matchAll(/(?<![\d./-])(\d{1,2})[/-](\d{1,2})[/-](?:19|20)\d\d(?!\d)/g)) {
    if (Number(a) > 12 && Number(b) <= 12) dayFirst += 1;
    if (Number(b) > 12 && Number(a) <= 12) monthFirst += 1;
  }
  return dayFirst > 0 === monthFirst > 0 ? null : dayFirst > 0 ? 'dmy' : 'mdy';
}

const DAY = String.raw`(\d{1,2})(?!\d)(?:st|nd|rd|th|er|re|e|ª|º|°|\.-?|日)?`;
const LINK = String.raw`(?:\s|,|\.|-|/|(?<!\p{L})(?:de|di|del|of|den|m)(?!\p{L})|(?<!\p{L})d[’']){0,6}`;
const WORD = String.raw`([\p{L}\p{M}]{3,20}|tháng \d{1,2})`;
const YEAR = String.raw`((?:19|20|25)\d\d|[’']\d\d)(?!\d)`;
const DAY_FIRST = new RegExp(`(?<![\\d:.,])${DAY}${LINK}${WORD}${LINK}${YEAR}`, 'giu');
const MONTH_FIRST = new RegExp(`(?<!\\p{L})${WORD}${LINK}${DAY}${LINK}${YEAR}`, 'giu');
const YEAR_FIRST = new RegExp(`(?<!\\d)${YEAR}${LINK}${WORD}${LINK}${DAY}`, 'giu');

/** `4. März 2026`, `March 4th, 2026`, `4 de marzo de 2026`, `2026. március 4.`. */
function named(text: string, { language }: Notation): Found | null {
  const ways = [
    { pattern: DAY_FIRST, year: 3, month: 2, day: 1 },
    { pattern: MONTH_FIRST, year: 3, month: 1, day: 2 },
    { pattern: YEAR_FIRST, year: 1, month: 2, day: 3 },
  ];
  for (const { pattern, ...at } of ways) {
    for (const found of text.matchAll(pattern)) {
      const word = found[at.month] ?? '';
      const month = /^tháng/i.test(word) ? Number(word.slice(6)) : monthNamed(word, language);
      if (month === null) continue;
      const year = fullYear((found[at.year] ?? '').replace(/[’']/, ''));
      return { year, month, day: Number(found[at.day]), end: found.index + found[0].length };
    }
  }
  return null;
}

/** Null if there is no such day; Thai years count from another. */
function toDay({ year: written, month, day }: Found): string | null {
  const year = written >= 2500 ? written - 543 : written;
  const date = new Date(Date.UTC(year, month - 1, day));
  if (year < 1900 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.toISOString().slice(0, 10);
}

const ZONES: Readonly<Record<string, string>> = {
  ...{ Z: 'Z', UTC: 'Z', GMT: 'Z', WET: 'Z', BST: '+01:00', CET: '+01:00', MEZ: '+01:00', WEST: '+01:00' },
  ...{
    CEST: '+02:00',
    MESZ: '+02:00',
    EET: '+02:00',
    EEST: '+03:00',
    MSK: '+03:00',
    JST: '+09:00',
    KST: '+09:00',
  },
  ...{
    EST: '-05:00',
    EDT: '-04:00',
    CST: '-06:00',
    CDT: '-05:00',
    MST: '-07:00',
    MDT: '-06:00',
    PST: '-08:00',
  },
  ...{ PDT: '-07:00' },
};
const TIME =
  /^(?:T|[\s,;|–-]|um\s|at\s|kl\.?\s|à\s|o\s|alle\s|a las\s|às\s|o godz\.?\s|в\s|г\.|\([^)]{1,12}\)){0,6}(\d{1,2})(?:[:.h]|\s?時\s?)(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?(?:\s?(am|pm|a\.m\.|p\.m\.))?(?:\s?(?:Uhr|h|Z|分))?(?:\s?\(?(Z|[A-Z]{2,4}|(?:UTC|GMT)?\s?[+-]\d\d:?\d\d))?(?![\d\p{L}])/iu;

/** `T12:30:00+01:00`; empty if no time follows the date. */
function timeIn(rest: string): string {
  const found = TIME.exec(rest);
  if (!found) return '';
  const [whole, hours = '', minutes = '', seconds, half, zone] = found;
  let hour = Number(hours);
  if (half) hour = (hour % 12) + (/^p/i.test(half) ? 12 : 0);
  if (hour > 23 || Number(minutes) > 59 || Number(seconds ?? 0) > 59) return '';
  const offset = /[+-]\d\d:?\d\d$/.exec(zone ?? '')?.[0];
  const named = ZONES[(zone ?? '').toUpperCase()] ?? (/\dZ$/.test(whole.trim()) ? 'Z' : '');
  return `T${String(hour).padStart(2, '0')}:${minutes}:${seconds ?? '00'}${offset ? offset.replace(/^(...):?/, '$1:') : named}`;
}

/** Digits of other scripts as ASCII. */
const latinDigits = (text: string): string =>
  text.replace(/[٠-٩۰-۹०-९๐-๙０-９]/g, (digit) => {
    const code = digit.charCodeAt(0);
    const zero = [0x660, 0x6f0, 0x966, 0xe50, 0xff10].find((start) => code >= start && code < start + 10);
    return zero === undefined ? digit : String(code - zero);
  });
