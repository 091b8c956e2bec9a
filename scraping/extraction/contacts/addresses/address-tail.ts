import { AU_STATE, CA_PROVINCE, parseCountry, US_STATE } from '../places.ts';

/**
 * The tail of an address in a line, from `start` to `end`: state, postcode, and in some countries
 * the town.
 */
export interface AddressTail {
  start: number;
  end: number;
  city: string | null;
  region: string | null;
  postal_code: string | null;
  country: string | null;
}

/**
 * Finds address tails in a line, in order.
 *
 * @param hasNumberNear whether a street may precede a state without postcode
 */
export function findAddressTails(
  text: string,
  countries: readonly string[],
  hasNumberNear: boolean,
): AddressTail[] {
  const tails: AddressTail[] = [];
  if (text.length < 4) return [];
  const hasDigit = /\d/.test(text);
  for (const { pattern, country, only, digitless } of SHAPES) {
    if (digitless ? text.length > 200 || (digitless === 'state' && !hasNumberNear) : !hasDigit) continue;
    for (const match of text.matchAll(pattern)) {
      const { region, region2, code, city, prefix } = match.groups ?? {};
      const [start, end] = [match.index, match.index + match[0].length];
      if (tails.some((other) => start < other.end && end > other.start)) continue;
      const likely = only && !prefix ? (countries.find((one) => only.includes(one)) ?? null) : null;
      if (only && !prefix && !likely) continue;
      const named = parseCountry(/^[\s,.•|-]{0,4}([\p{L}. ]{2,30})/u.exec(text.slice(end))?.[1] ?? '');
      const { town, province } = townOf(city ?? null, text.slice(end));
      tails.push({
        start,
        end,
        city: town,
        region: region ?? region2 ?? province,
        postal_code: code ?? null,
        country: named ?? (prefix ? (PREFIX_COUNTRY[prefix] ?? prefix) : (likely ?? country)),
      });
    }
  }
  return tails.sort((a, b) => a.start - b.start);
}

/** `Mérignac Cedex` is Mérignac; `Roma RM` and `Milano (MI)` name their province. */
function townOf(city: string | null, after: string): { town: string | null; province: string | null } {
  const bare = city?.replace(/\s(?:cedex|CEDEX|Cedex)(?:\s\d{1,2})?$/, '') ?? null;
  const [, town, within] = /^(.+\p{Ll})\s([A-Z]{2})$/u.exec(bare ?? '') ?? [];
  if (town && within) return { town, province: within };
  return { town: bare, province: /^\s?\(([A-Z]{2})\)/.exec(after)?.[1] ?? null };
}

const TOWN =
  "[\\p{Lu}][\\p{L}.'’]{1,24}(?:[ -](?:[\\p{Lu}][\\p{L}.'’]{1,24}|am|an|der|den|im|in|ob|on|upon|under|sur|sous|en|les|le|la|de|del|di|do|da|bei|a\\.d\\.|an\\sder|y|\\d{1,2}(?=\\b))){0,4}";
interface Shape {
  pattern: RegExp;
  /** Null: decided by the page. */
  country: string | null;
  /** Likely countries of the page for which the pattern counts. */
  only?: readonly string[];
  /** Pattern without digits: a state needs a number before it, a county does not. */
  digitless?: 'state' | 'county';
}
const SHAPES: readonly Shape[] = [
  {
    country: 'US',
    pattern: new RegExp(
      `(?<![\\p{L}\\d])(?<region>${US_STATE})\\.?\\s?,?[\\s-]{1,3}(?<code>\\d{5}(?:\\s?-\\s?\\d{4})?)(?![\\d-])`,
      'gu',
    ),
  },
  {
    country: 'CA',
    pattern: new RegExp(
      `(?<![\\p{L}\\d])(?:(?<region>${CA_PROVINCE})\\.?,?\\s{1,2}(?:Canada,?\\s)?)?(?<code>[ABCEGHJ-NPRSTVXY]\\d[A-Z]\\s?-?\\d[A-Z]\\d)(?![\\p{L}\\d])(?:,?\\s(?<region2>${CA_PROVINCE})\\b\\.?)?`,
      'gu',
    ),
  },
  {
    country: 'AU',
    pattern: new RegExp(
      `(?<![\\p{L}\\d])(?<region>${AU_STATE})\\.?,?\\s{1,2}(?:Australia,?\\s)?(?<code>\\d{4})(?![\\d-])`,
      'gu',
    ),
  },
  {
    country: 'GB',
    pattern:
      /(?<![\p{L}\d])(?<code>(?:GIR\s?0AA|[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]?\s?\d[ABD-HJLNP-UW-Z]{2}))(?![\p{L}\d])/gu,
  },
  {
    country: 'IE',
    pattern:
      /(?<![\p{L}\d])(?<region>(?:Co\.?|County)\s[\p{Lu}]\p{L}{2,10})(?:,?\s(?<code>[ACDEFHKNPRTVWXY]\d[\dW]\s?[\dACDEFHKNPRTVWXY]{4}))?(?![\p{L}])/gu,
    digitless: 'county',
    only: ['IE'],
  },
  {
    country: 'IE',
    pattern:
      /(?<![\p{L}\d])(?:Dublin\s)?(?<code>[ACDEFHKNPRTVWXY]\d[\dW]\s?[\dACDEFHKNPRTVWXY]{4})(?![\p{L}\d])/gu,
    only: ['IE'],
  },
  {
    country: 'NL',
    pattern: new RegExp(
      `(?<![\\p{L}\\d])(?:NL\\s?-\\s?)?(?<code>[1-9]\\d{3}\\s?[A-Z]{2})\\s(?<city>${TOWN})`,
      'gu',
    ),
    only: ['NL'],
  },
  {
    country: 'PT',
    pattern: new RegExp(`(?<![\\p{L}\\d])(?<code>\\d{4}-\\d{3})\\s(?<city>${TOWN})`, 'gu'),
    only: ['PT'],
  },
  { country: 'BR', pattern: /(?<![\p{L}\d])(?:CEP:?\s?)?(?<code>\d{5}-\d{3})(?![\d-])/gu, only: ['BR'] },
  {
    country: 'PL',
    pattern: new RegExp(`(?<![\\p{L}\\d-])(?<code>\\d{2}-\\d{3})\\s(?<city>${TOWN})`, 'gu'),
    only: ['PL'],
  },
  {
    country: 'IN',
    pattern: new RegExp(
      `(?<![\\p{L}\\d])(?<city>${TOWN})\\s?[-–,]?\\s?(?<code>[1-8]\\d{2}\\s?\\d{3})(?![\\d-])`,
      'gu',
    ),
    only: ['IN'],
  },
  {
    country: 'SE',
    pattern: new RegExp(`(?<![\\p{L}\\d])(?:SE?-\\s?)?(?<code>\\d{3}\\s?\\d{2})\\s(?<city>${TOWN})`, 'gu'),
    only: ['SE', 'CZ', 'SK', 'GR'],
  },
  {
    country: 'DE',
    pattern: new RegExp(
      `(?<![\\p{L}\\d])(?:(?<prefix>D|DE|F|FR|I|IT|E|ES|FIN|FI)\\s?[-–]\\s?)?(?<code>\\d{5})\\s(?<city>${TOWN})(?:\\s(?:Cedex|CEDEX)(?:\\s\\d{1,2})?)?`,
      'gu',
    ),
    only: ['DE', 'FR', 'IT', 'ES', 'FI', 'MX', 'TR', 'EE', 'HR', 'RS', 'UA', 'MA'],
  },
  {
    country: 'AT',
    pattern: new RegExp(
      `(?<![\\p{L}\\d])(?:(?<prefix>A|AT|CH|B|BE|L|LU|DK|N|NO|H|HU|SI|BG|LV)\\s?[-–]\\s?)?(?<code>\\d{4})\\s(?<city>${TOWN})`,
      'gu',
    ),
    only: ['AT', 'CH', 'BE', 'DK', 'NO', 'LU', 'HU', 'SI', 'BG', 'LV', 'LI'],
  },
  {
    country: 'US',
    pattern: new RegExp(
      `(?<=[\\p{L}\\d.,]\\s?,?\\s)(?<region>${US_STATE})(?=\\.?$|\\.?\\s?[,;|•·(]|\\.?\\s[-–]\\s|\\sUSA?\\b|\\sUnited\\b)`,
      'gu',
    ),
    only: ['US'],
    digitless: 'state',
  },
  {
    country: 'CA',
    pattern: new RegExp(
      `(?<=[\\p{L}\\d.,]\\s?,?\\s)(?<region>${CA_PROVINCE})(?=\\.?$|\\.?\\s?[,;|•·(]|\\sCanada\\b)`,
      'gu',
    ),
    only: ['CA'],
    digitless: 'state',
  },
];
const PREFIX_COUNTRY: Record<string, string> = {
  D: 'DE',
  F: 'FR',
  I: 'IT',
  E: 'ES',
  FIN: 'FI',
  A: 'AT',
  B: 'BE',
  L: 'LU',
  N: 'NO',
  H: 'HU',
};
