// The full metadata (160 KB) checks the digits; the small one only their count, and would accept
// order numbers as phones.
import {
  type CountryCode,
  getCountryCallingCode,
  isSupportedCountry,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max';
import { plainCharacters } from '../plain-characters.ts';

export interface PhoneNumber {
  /** E.164 if the country is known, else as written. */
  value: string;
  /** ISO 3166-1 alpha-2 of the numbering plan. */
  country: string | null;
}

/** Characters of a number with the text in and around it. */
const LONGEST = 200;

/**
 * Parses a phone number as dialled from the first of these countries where it is valid. Null if it
 * is valid in none.
 */
export function parsePhone(written: string, countries: readonly string[]): PhoneNumber | null {
  if (written.length > LONGEST) return null;
  const text = lettersToDigits(plainCharacters(written));
  const digits = text.replace(/\D/g, '');
  if (digits.length < 6 || digits.length > 15) return null;
  if (isFiller(digits)) return null;
  const international = /^\s*\(?\s*(?:\+|00[1-9])/.test(text);
  for (const country of international ? [countries[0] ?? 'US'] : countries) {
    const number = parse(text.replace(/^(\s*\(?\s*)00(?=[1-9])/, '$1+'), country);
    if (number?.isValid()) return { value: number.number, country: number.country ?? null };
    // `965 2397 0072` in Kuwait: the calling code without its plus.
    if (international || !isSupportedCountry(country) || country === 'US') continue;
    const code = getCountryCallingCode(country as CountryCode);
    const abroad = digits.startsWith(code) && digits.length > 9 ? parse(`+${digits}`, country) : undefined;
    if (abroad?.isValid()) return { value: abroad.number, country: abroad.country ?? null };
  }
  if (!international) return null;
  const number = parse(text, countries[0] ?? 'US');
  return number?.isPossible() ? { value: number.number, country: number.country ?? null } : null;
}

const parse = (text: string, country: string) =>
  parsePhoneNumberFromString(text, {
    ...(isSupportedCountry(country) ? { defaultCountry: country as CountryCode } : {}),
    extract: false,
  });

const KEYS = ['', '', 'abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs', 'tuv', 'wxyz'];

/** `1-800-FLOWERS` in digits; `(0)` after a calling code is dropped, it is not dialled. */
function lettersToDigits(text: string): string {
  const bare = text.replace(/(\+\d{1,3}[\s.-]?)\(\s?0\s?\)/, '$1');
  if (!/^\+?1?[-. (]{0,2}8\d\d/.test(bare) || !/[a-z]{3}/i.test(bare)) return bare;
  return bare.replace(/[a-z]/gi, (letter) =>
    String(KEYS.findIndex((key) => key.includes(letter.toLowerCase()))),
  );
}

/** `000-000-0000`, `1234567890`: placeholders in forms. */
const isFiller = (digits: string): boolean => {
  const tail = digits.slice(-7);
  return /^(\d)\1+$/.test(tail) || '01234567890'.includes(digits.slice(-9)) || /^1?5555555555$/.test(digits);
};
