import { randomInt } from 'node:crypto';

/**
 * Short links, pure: the format of codes and the data of a click.
 *
 * No 0 o 1 i l: codes are read out on the telephone and typed from paper.
 */
const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';
/** 31^8 = 8.5e11: with a million links, one guess in 850,000 hits. */
const CODE_LENGTH = 8;
/** The code of a shared result grants access to it, so it is a secret: 31^16 = 79 bits. */
const SHARE_CODE_LENGTH = 16;

export const generateCode = (share: boolean): string =>
  Array.from(
    { length: share ? SHARE_CODE_LENGTH : CODE_LENGTH },
    () => ALPHABET[randomInt(ALPHABET.length)],
  ).join('');

/** A generated code typed in any case, in its original lower case; null for any other code. */
export function generatedCode(typed: string): string | null {
  const code = typed.toLowerCase();
  return GENERATED.test(code) ? code : null;
}

const GENERATED = new RegExp(`^(?:[${ALPHABET}]{${CODE_LENGTH}}|[${ALPHABET}]{${SHARE_CODE_LENGTH}})$`);

/** Any valid code, including those chosen by users; as a part of a regular expression, and alone. */
export const CODE_PATTERN = '[A-Za-z0-9][A-Za-z0-9_-]{2,63}';
export const LINK_CODE = new RegExp(`^${CODE_PATTERN}$`);

/** Who followed a link. Only `person` counts as a visitor. */
export const CLICK_KINDS = ['person', 'bot', 'head'] as const;
export type ClickKind = (typeof CLICK_KINDS)[number];

/** The host of a `Referer`; null without a usable one. */
export function referrerHost(referer: string | undefined): string | null {
  const [, host] = /^https?:\/\/([^/?#@\s]{1,255})(?:[/?#]|$)/i.exec(referer ?? '') ?? [];
  return host?.toLowerCase() ?? null;
}

/**
 * The region of the first language that has one: `de-AT,de;q=0.9` is AT. A preference, not a
 * location.
 */
export function countryOf(acceptLanguage: string | undefined): string | null {
  const [, country] = /^.{0,200}?\b[a-z]{2,3}(?:-[A-Za-z]{4})?-([A-Z]{2})\b/.exec(acceptLanguage ?? '') ?? [];
  return country ?? null;
}
