import { domainToUnicode } from 'node:url';
import { foldNames } from '../text.ts';
import { ERASED_TEXT, type Erased } from './erase.ts';
import {
  domainIdentity,
  domainsAbove,
  emailIdentity,
  type Identity,
  nationalNumber,
  personIdentity,
  phoneIdentity,
} from './identity.ts';

/** Who or what is erased, as the request named it. */
export interface ErasureTarget {
  email?: string | undefined;
  phone?: string | undefined;
  domain?: string | undefined;
  /** Of a person; needs `domain`, which then is where the person is, and is not erased itself. */
  name?: string | undefined;
}

/** What a later job must not store again. */
export function identitiesOf({ email, phone, domain, name }: ErasureTarget): Identity[] {
  const person = name === undefined ? null : personIdentity(name, domain ?? '');
  return [
    email === undefined ? null : emailIdentity(email),
    phone === undefined ? null : phoneIdentity(phone),
    name === undefined && domain !== undefined ? domainIdentity(domain) : person,
  ].filter((identity) => identity !== null);
}

/** Finds a target in stored data. */
export interface Search {
  erased: Erased;
  /** Of Postgres: finds every row that may mention it, and a few more. */
  pattern: string;
  mentions(text: string): boolean;
  /** The erased domain; null if it is not one. */
  domain: string | null;
}

/** @param target with at least one field */
export function searchFor(target: ErasureTarget): Search {
  const identities = identitiesOf(target);
  const has = (one: Identity | null) =>
    one !== null && identities.some(({ kind, value }) => kind === one.kind && value === one.value);
  const parts = identities.map((identity) => textOf(identity, target));
  const expression = new RegExp(parts.map(({ exact }) => exact).join('|'), 'giu');
  const phones = identities.filter(({ kind }) => kind === 'phone');
  return {
    pattern: parts.map(({ rough }) => rough).join('|'),
    domain: identities.find(({ kind }) => kind === 'domain')?.value ?? null,
    mentions: (text) => text.search(expression) >= 0,
    erased: {
      email: (address) => has(emailIdentity(address)),
      phone: (number) => {
        const one = phoneIdentity(number);
        if (one === null) return false;
        // Without its country, a number is that of any country.
        return (
          has(one) ||
          phones.some(
            (phone) =>
              nationalNumber(phone)?.value === one.value || nationalNumber(one)?.value === phone.value,
          )
        );
      },
      domain: (host) => {
        const domain = domainIdentity(host);
        return domain !== null && domainsAbove(domain).some(has);
      },
      person: (name, domain) => domain !== null && personOf(name, domain).some(has),
      redact: (text) => text.replace(expression, ERASED_TEXT),
    },
  };
}

const personOf = (name: string, host: string): Identity[] => {
  const domain = domainIdentity(host);
  return domain ? domainsAbove(domain).flatMap(({ value }) => personIdentity(name, value) ?? []) : [];
};

/** Expressions for a mention: an exact one of JavaScript, and one of Postgres that finds at least as much in JSON. */
function textOf({ kind, value }: Identity, target: ErasureTarget): { exact: string; rough: string } {
  switch (kind) {
    case 'email': {
      const at = value.lastIndexOf('@');
      const local = escaped(value.slice(0, at));
      const hosts = spellings(value.slice(at + 1)).join('|');
      const middle = `${local}(?:\\+[^@\\s"<>]{0,64})?(?:@|%40)(?:${hosts})`;
      return { exact: `(?<![\\w.+-])${middle}(?![\\w-]|\\.\\w)`, rough: middle };
    }
    case 'phone': {
      const national = nationalNumber({ kind, value })?.value ?? value.replace('+', '');
      const digits = [...national].join('[\\s().\\/-]{0,3}');
      const rough = [...national].join('[^0-9]{0,6}');
      const code = value.startsWith('+') ? value.slice(1, value.length - national.length) : '';
      const prefix = code ? `(?:(?:\\+|00)${code}[\\s().\\/-]{0,3})?(?:\\(?0\\)?[\\s().\\/-]{0,3})?` : '0?';
      return { exact: `(?<!\\d)${prefix}${digits}(?!\\d)`, rough };
    }
    case 'domain': {
      const hosts = spellings(value).join('|');
      return { exact: `(?<![\\w-])(?:[\\w-]+\\.)*(?:${hosts})(?![\\w-]|\\.\\w)`, rough: `(?:${hosts})` };
    }
    case 'person': {
      const words = (target.name ?? '').trim().split(/\s+/).map(escaped);
      return {
        exact: `(?<![\\p{L}\\p{N}])${words.join('[\\s,.\\u00a0-]{1,4}')}(?![\\p{L}\\p{N}])`,
        // As it is folded too: a person of a lead is compared that way.
        rough: `${words.join('.{1,8}')}|${foldNames(target.name ?? '')
          .split(' ')
          .join('.{1,8}')}`,
      };
    }
    default:
      return kind satisfies never;
  }
}

/** A domain in ASCII, and as people write it. */
const spellings = (domain: string): string[] => [...new Set([domain, domainToUnicode(domain)])].map(escaped);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
