import { randomInt } from 'node:crypto';

/**
 * Short links, the pure part: how codes look, and what a click is.
 *
 * No 0 o 1 i l: a code is read out on the telephone and typed from paper.
 */
const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';
/** 31^8 are 8.5e11: with a million links, a guess hits one in 850,000 times. */
const CODE_LENGTH = 8;
/** Whoever has the code of a shared result reads it, so this one is a secret: 31^16 are 79 bits. */
const SHARE_CODE_LENGTH = 16;

export const makeCode = (share: boolean): string =>
  Array.from(
    { length: share ? SHARE_CODE_LENGTH : CODE_LENGTH },
    () => ALPHABET[randomInt(ALPHABET.length)],
  ).join('');

/** A code that was made, in the letters it was made of, whatever case it was typed in; null for any other. */
export function madeCode(typed: string): string | null {
  const code = typed.toLowerCase();
  return MADE.test(code) ? code : null;
}

const MADE = new RegExp(`^(?:[${ALPHABET}]{${CODE_LENGTH}}|[${ALPHABET}]{${SHARE_CODE_LENGTH}})$`);

/** Any code there may be, a user's own choice included. */
export const LINK_CODE = /^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$/;

/** Who followed a link. Only people count as visitors. */
export const CLICK_KINDS = ['person', 'bot', 'head'] as const;
export type ClickKind = (typeof CLICK_KINDS)[number];

/** The host that a `Referer` names; null where there is none worth a name. */
export function referrerHost(referer: string | undefined): string | null {
  const [, host] = /^https?:\/\/([^/?#@\s]{1,255})(?:[/?#]|$)/i.exec(referer ?? '') ?? [];
  return host?.toLowerCase() ?? null;
}

/** The country of the first language that names one: `de-AT,de;q=0.9` is AT. What the visitor prefers to read, not where they are. */
export function countryOf(acceptLanguage: string | undefined): string | null {
  const [, country] = /^.{0,200}?\b[a-z]{2,3}(?:-[A-Za-z]{4})?-([A-Z]{2})\b/.exec(acceptLanguage ?? '') ?? [];
  return country ?? null;
}
