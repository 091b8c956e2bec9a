import type { Contacts } from '../leads/lead.ts';
import type { Erased } from './erase.ts';
import {
  domainIdentity,
  domainsAbove,
  emailIdentity,
  type Identity,
  personIdentity,
  phoneIdentity,
} from './identity.ts';
import { searchFor } from './target.ts';

/** What contact data names, to be looked up among the suppressions. */
export interface Named {
  identities: Identity[];
  /** What to take out, given those of `identities` that are suppressed. */
  erasedBy(suppressed: readonly Identity[]): Erased;
}

/** @param domain of the business; null if unknown */
export function namedIn(contacts: Contacts, domain: string | null): Named {
  const people = contacts.people ?? [];
  const emails = [...contacts.emails, ...people.flatMap(({ email }) => email ?? [])];
  const phones = [...contacts.phones, ...contacts.faxes, ...people.flatMap(({ phone }) => phone ?? [])];
  const identities = [
    ...emails.flatMap((email) => emailIdentity(email) ?? []),
    ...phones.flatMap((phone) => phoneIdentity(phone) ?? []),
    ...people.flatMap(({ name }) => peopleOf(name, domain)),
    ...[domain ?? '', ...emails.map(hostOf)].flatMap(domainsOf),
  ];
  return {
    identities: [...new Map(identities.map((one) => [keyOf(one), one])).values()],
    erasedBy: (suppressed) => {
      const keys = new Set(suppressed.map(keyOf));
      const has = (one: Identity | null) => one !== null && keys.has(keyOf(one));
      const isPerson = (name: string, at: string | null) => peopleOf(name, at).some(has);
      // Their texts are known here, unlike in the list.
      const texts = [
        ...emails.filter((email) => has(emailIdentity(email))).map((email) => ({ email })),
        ...phones.filter((phone) => has(phoneIdentity(phone))).map((phone) => ({ phone })),
        ...people
          .filter(({ name }) => isPerson(name, domain))
          .map(({ name }) => ({ name, domain: domain ?? '' })),
        ...suppressed.filter(({ kind }) => kind === 'domain').map(({ value }) => ({ domain: value })),
      ].map((target) => searchFor(target).erased);
      return {
        email: (address) => has(emailIdentity(address)),
        phone: (number) => has(phoneIdentity(number)),
        domain: (host) => domainsOf(host).some(has),
        person: isPerson,
        redact: (text) => texts.reduce((left, one) => one.redact(left), text),
      };
    },
  };
}

const keyOf = ({ kind, value }: Identity): string => `${kind} ${value}`;
const hostOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1);

function domainsOf(host: string): Identity[] {
  const domain = domainIdentity(host);
  return domain ? domainsAbove(domain) : [];
}

const peopleOf = (name: string, domain: string | null): Identity[] =>
  domainsOf(domain ?? '').flatMap(({ value }) => personIdentity(name, value) ?? []);
