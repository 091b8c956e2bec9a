import { type Entity, propertyTexts } from './entities.ts';
import type { Line } from './page-lines.ts';
import { parsePhone } from './phones/phone-numbers.ts';
import {
  AU_STATE,
  CA_PROVINCE,
  COUNTRY_MENTION,
  parseCountry,
  TOP_LEVEL_COUNTRY,
  US_STATE,
} from './places.ts';

/**
 * Likely countries of a page's phone numbers and addresses, most likely first. Never empty: without
 * other evidence the country is US.
 */
export function likelyCountries(
  language: string,
  lines: readonly Line[],
  entities: readonly Entity[],
  page: { host: string; hint: string | undefined },
): string[] {
  const votes = new Map<string, number>();
  const vote = (country: string | null | undefined, weight: number) => {
    if (country) votes.set(country, (votes.get(country) ?? 0) + weight);
  };
  vote(TOP_LEVEL_COUNTRY[page.host.split('.').at(-1) ?? ''], 6);
  for (const entity of entities.slice(0, 200))
    for (const name of propertyTexts(entity, 'addressCountry').slice(0, 1)) vote(parseCountry(name), 4);
  const [spoken = '', region = ''] = language.split(/[-_]/);
  // `en-US` is the default of many tools.
  vote(parseCountry(region), region.toUpperCase() === 'US' ? 1 : 2.5);
  vote(SPOKEN_IN[spoken.toLowerCase()], 1.5);
  vote(page.hint?.toUpperCase(), 3);
  const text = lines
    .map((line) => line.text)
    .join('\n')
    .slice(0, 200_000);
  for (const [country, shape, weight, max] of SHAPES) {
    let seen = 0;
    for (const _ of text.matchAll(shape)) if (++seen === max) break;
    vote(country, seen * weight);
  }
  for (const { text: line } of lines)
    if (line.length < 30) vote(parseCountry(line.replace(/^.*,\s*/, '')), line.length > 3 ? 0.7 : 0);
  const mentions = new Map<string, number>();
  for (const [name] of text.matchAll(COUNTRY_MENTION)) {
    const country = parseCountry(name);
    const before = country ? (mentions.get(country) ?? 0) : MAX_MENTIONS;
    if (!country || before >= MAX_MENTIONS) continue;
    mentions.set(country, before + 1);
    vote(country, 0.3);
  }
  vote('US', 0.5);
  // A country gets votes for the page's numbers that are valid there.
  const written = numbersWithoutCode(text);
  for (const country of written.length > 0 ? [...votes.keys()] : []) {
    const share =
      written.filter((number) => parsePhone(number, [country])?.country === country).length / written.length;
    vote(country, share * Math.min(4, written.length));
  }
  return [...votes]
    .sort((a, b) => b[1] - a[1])
    .map(([country]) => country)
    .slice(0, 4);
}

const MAX_MENTIONS = 3;

const numbersWithoutCode = (text: string): string[] =>
  [
    ...text.matchAll(
      /(?:tel|phone|telephone|fax|fon|mobile?|call)[^\d\n+]{0,12}\n?(\(?\d[\d ().\-/]{6,16}\d)/gi,
    ),
  ]
    .map(([, number]) => number ?? '')
    .slice(0, 8);

const SPOKEN_IN: Record<string, string> = {
  de: 'DE',
  fr: 'FR',
  it: 'IT',
  es: 'ES',
  nl: 'NL',
  pt: 'PT',
  pl: 'PL',
  sv: 'SE',
  da: 'DK',
  nb: 'NO',
  nn: 'NO',
  no: 'NO',
  fi: 'FI',
  cs: 'CZ',
  sk: 'SK',
  hu: 'HU',
  ro: 'RO',
  bg: 'BG',
  el: 'GR',
  tr: 'TR',
  ru: 'RU',
  uk: 'UA',
  ja: 'JP',
  ko: 'KR',
  zh: 'CN',
  he: 'IL',
  hr: 'HR',
  sl: 'SI',
  et: 'EE',
  lv: 'LV',
  lt: 'LT',
};

/**
 * Notations that indicate a country: postcodes, calling codes, legal forms. Country, pattern,
 * weight per match, maximum of matches.
 */
const SHAPES: readonly (readonly [string, RegExp, number, number])[] = [
  ['US', new RegExp(`\\b${US_STATE}\\.?,?\\s\\d{5}(?:-\\d{4})?\\b`, 'gu'), 2, 3],
  [
    'CA',
    new RegExp(
      `\\b${CA_PROVINCE}\\.?,?\\s[A-Z]\\d[A-Z]\\s?\\d[A-Z]\\d\\b|\\b[A-Z]\\d[A-Z]\\s?\\d[A-Z]\\d\\b`,
      'gu',
    ),
    3,
    3,
  ],
  ['AU', new RegExp(`\\b${AU_STATE}\\.?,?\\s\\d{4}\\b(?!-)`, 'gu'), 2, 3],
  ['AU', /\bPty\.?\sLtd\b|\bABN\b/g, 1.5, 2],
  ['GB', /\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b/g, 2, 3],
  ['US', /\+1[\s.(-]|\b1-8(?:00|88|77|66)-\d{3}/g, 0.7, 3],
  ['US', /\(\d{3}\)\s?\d{3}-\d{4}|\b\d{3}-\d{3}-\d{4}\b/g, 0.7, 3],
  ['GB', /\+44/g, 1.5, 3],
  ['DE', /\+49|\b0049/g, 1.5, 3],
  ['DE', /\bGmbH\b|\bUSt-?Id/g, 1, 2],
  ['AT', /\+43/g, 2, 3],
  ['CH', /\+41/g, 2, 3],
  ['FR', /\+33/g, 1.5, 3],
  ['IT', /\+39|\bS\.r\.l\.|\bP\.?\s?IVA\b/g, 1.5, 3],
  ['ES', /\+34/g, 1.5, 3],
  ['NL', /\+31|\bB\.V\./g, 1.5, 3],
  ['BE', /\+32/g, 1.5, 3],
  ['IE', /\+353/g, 1.5, 3],
  ['AU', /\+61/g, 1.5, 3],
  ['NZ', /\+64/g, 1.5, 3],
  ['IN', /\+91/g, 1.5, 3],
  ['SE', /\+46/g, 1.5, 3],
  ['DK', /\+45/g, 1.5, 3],
  ['NO', /\+47/g, 1.5, 3],
  ['FI', /\+358/g, 1.5, 3],
  ['PT', /\+351/g, 1.5, 3],
  ['PL', /\+48/g, 1.5, 3],
  ['ZA', /\+27/g, 1.5, 3],
  ['BR', /\+55/g, 1.5, 3],
  ['MX', /\+52/g, 1.5, 3],
  ['JP', /\+81/g, 1.5, 3],
  ['SG', /\+65/g, 1.5, 3],
  ['AE', /\+971/g, 1.5, 3],
];
