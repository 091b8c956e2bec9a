import type { Contacts, Evidence, Lead } from '../leads/lead.ts';
import { domainIdentity } from './identity.ts';

/** What is to be taken out of contact data. */
export interface Erased {
  email(address: string): boolean;
  phone(number: string): boolean;
  /** A host, or one below an erased domain. */
  domain(host: string): boolean;
  /** @param domain of the business; null if unknown */
  person(name: string, domain: string | null): boolean;
  /** Replaces every mention in a text. */
  redact(text: string): string;
}

export const ERASED_TEXT = '[erased]';

/**
 * A lead without what is erased: null if the business itself is, the same object if it holds
 * nothing of it.
 */
export function eraseFromLead(lead: Lead, erased: Erased): Lead | null {
  const hosts = [lead.domain, lead.website].flatMap((text) => domainIdentity(text ?? '')?.value ?? []);
  if (hosts.some((host) => erased.domain(host))) return null;
  const { evidence, ...contacts } = lead;
  const kept = evidence.filter((one) => !isAbout(one, lead.domain, erased));
  const rest = eraseFromContacts(contacts, erased, lead.domain);
  const others = kept.map((one) => redacted(one, erased));
  const isSame =
    rest === contacts && others.length === evidence.length && others.every((one, at) => one === kept[at]);
  return isSame ? lead : { ...rest, evidence: others };
}

/** Contacts, or a lead's part that is like them, without what is erased; the same object if nothing is. */
export function eraseFromContacts<T extends Contacts>(contacts: T, erased: Erased, domain: string | null): T {
  const isGone = (email: string) => erased.email(email) || erased.domain(hostOf(email));
  const emails = contacts.emails.filter((email) => !isGone(email));
  const phones = contacts.phones.filter((phone) => !erased.phone(phone));
  const faxes = contacts.faxes.filter((fax) => !erased.phone(fax));
  const people = (contacts.people ?? []).filter(
    ({ name, email, phone }) =>
      !erased.person(name, domain) && !(email && isGone(email)) && !(phone && erased.phone(phone)),
  );
  const isSame =
    emails.length === contacts.emails.length &&
    phones.length === contacts.phones.length &&
    faxes.length === contacts.faxes.length &&
    people.length === (contacts.people ?? []).length;
  const left = isSame
    ? contacts
    : {
        ...contacts,
        ...{ emails, phones, faxes, people },
        email_kinds: without(contacts.email_kinds, isGone),
        phone_kinds: without(contacts.phone_kinds, erased.phone),
      };
  return redacted(left, erased);
}

const hostOf = (email: string): string =>
  domainIdentity(email.slice(email.lastIndexOf('@') + 1))?.value ?? '';

const without = <T>(record: Record<string, T> = {}, isGone: (key: string) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !isGone(key)));

function isAbout({ field, value, url }: Evidence, domain: string | null, erased: Erased): boolean {
  if (erased.domain(domainIdentity(url)?.value ?? '')) return true;
  switch (field) {
    case 'email':
      return erased.email(value) || erased.domain(hostOf(value));
    case 'phone':
    case 'fax':
      return erased.phone(value);
    case 'person':
      return erased.person(value, domain);
    default:
      return false;
  }
}

/** Every text in it; the same object if none changes. */
function redacted<T>(value: T, erased: Erased): T {
  if (typeof value === 'string') return erased.redact(value) as T;
  if (typeof value !== 'object' || value === null) return value;
  let isSame = true;
  const copy = (one: unknown) => {
    const next = redacted(one, erased);
    isSame &&= next === one;
    return next;
  };
  const next = Array.isArray(value)
    ? value.map(copy)
    : Object.fromEntries(Object.entries(value).map(([key, one]) => [copy(key), copy(one)]));
  return isSame ? value : (next as T);
}
