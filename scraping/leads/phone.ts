import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** A number that a source gives for a phone, in E.164; null where it is none, or is written without a country that is not known. */
export function internationalPhone(text: string, country: string | null | undefined): string | null {
  const parsed = parsePhoneNumberFromString(text, {
    defaultCountry: (country ?? undefined) as 'DE' | undefined,
  });
  return parsed?.isValid() ? parsed.number : null;
}
