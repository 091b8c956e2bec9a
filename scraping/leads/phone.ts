import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/**
 * A phone number from a source in E.164; null if it is invalid, or has neither calling code nor
 * known country.
 */
export function internationalPhone(text: string, country: string | null | undefined): string | null {
  const parsed = parsePhoneNumberFromString(text, {
    defaultCountry: (country ?? undefined) as 'DE' | undefined,
  });
  return parsed?.isValid() ? parsed.number : null;
}
