import { domainToASCII } from 'node:url';
import { getDomain } from 'tldts';
import { foldNames } from '../text.ts';

/** Who or what a suppression is about, normalised, so that every spelling is the same. */
export const SUPPRESSION_KINDS = ['email', 'phone', 'domain', 'person'] as const;
export type SuppressionKind = (typeof SUPPRESSION_KINDS)[number];

export interface Identity {
  kind: SuppressionKind;
  value: string;
}

/** Lower case, the domain in ASCII, without a tag: `Ada+news@Müller.de` is `ada@xn--mller-kva.de`. Null if it is none. */
export function emailIdentity(text: string): Identity | null {
  const [, name, host] = /^([^@\s]+)@([^@\s]+)$/.exec(text.trim().normalize('NFC')) ?? [];
  const domain = host === undefined ? '' : domainToASCII(host.toLowerCase());
  const local = name?.toLowerCase().replace(/(?<=.)\+.*$/, '');
  return local && domain ? { kind: 'email', value: `${local}@${domain}` } : null;
}

/**
 * E.164, such as `+493012345678`; of a number without its country, the digits after the leading
 * zero. Null if they are too few to be one.
 */
export function phoneIdentity(text: string): Identity | null {
  const written = text.replace(/\(0\)/g, '').trim();
  const digits = written.replace(/\D/g, '');
  const international = /^\s*\(?\+/.test(written) ? digits : /^00[1-9]/.test(digits) ? digits.slice(2) : null;
  if (international !== null) {
    return /^[1-9]\d{6,14}$/.test(international) ? { kind: 'phone', value: `+${international}` } : null;
  }
  const national = digits.replace(/^0+/, '');
  return national.length >= MIN_NATIONAL && national.length <= 15 ? { kind: 'phone', value: national } : null;
}

/** Shorter ones are extensions and service numbers, and digits of other numbers. */
const MIN_NATIONAL = 6;

/** The number within its country, by which a page without the country's code is matched; null for a national one. */
export function nationalNumber({ value }: Identity): Identity | null {
  if (!value.startsWith('+')) return null;
  const national = value.slice(1).replace(COUNTRY_CODE, '');
  return national.length >= MIN_NATIONAL ? { kind: 'phone', value: national } : null;
}

/** E.164: zones 1 and 7 have one digit, these have two, all others three. */
const COUNTRY_CODE = /^(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3})/;

/** A host or URL's host, in ASCII, without `www.`; null unless it is below a public suffix. */
export function domainIdentity(text: string): Identity | null {
  const host = text
    .trim()
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/^[^/?#]*@/, '')
    .replace(/[:/?#].*$/, '')
    .replace(/\.$/, '')
    .replace(/^www\./, '');
  const domain = domainToASCII(host);
  return domain && getDomain(domain, { allowPrivateDomains: true })
    ? { kind: 'domain', value: domain }
    : null;
}

/** A suppressed domain holds for those below it: all that hold for this one, itself first. */
export function domainsAbove({ value }: Identity): Identity[] {
  const registrable = getDomain(value, { allowPrivateDomains: true });
  const domains: Identity[] = [];
  for (let domain = value; ; domain = domain.slice(domain.indexOf('.') + 1)) {
    domains.push({ kind: 'domain', value: domain });
    if (domain === registrable || !domain.includes('.')) return domains;
  }
}

/** A person by name, at the business of a domain. Null without letters. */
export function personIdentity(name: string, domain: string): Identity | null {
  const folded = foldNames(name);
  const at = domainIdentity(domain);
  return folded && at ? { kind: 'person', value: `${folded}@${at.value}` } : null;
}
