import type { Contacts } from '../../core/lead.ts';
import { parsePage } from '../content/dom.ts';
import type { ContactField, Finding } from './finding.ts';

/** A parsed page, and what is known of it from elsewhere. */
export interface ContactsInput {
  /** As `parsePage` gives it: absolute addresses, no shadow roots. It is only read. */
  document: Document;
  /** Where the page was found, after redirects. */
  url: string;
  /** ISO 3166-1 alpha-2: where the business is thought to be, when the page does not say. */
  country?: string;
}

/** What a page says about the business behind it. Pure; a few milliseconds a page. */
export function findContacts(input: { html: string; url: string; country?: string }): Finding[] {
  return contactsIn({ ...input, document: parsePage(input.html, input.url) });
}

/** As `findContacts`, of a page that is already parsed. Findings of a field come surest first. */
export function contactsIn(_page: ContactsInput): Finding[] {
  return [];
}

/** The findings as the page format `contacts` shows them: each value once, surest first. */
export function contactsOf(findings: readonly Finding[]): Contacts {
  const of = (field: ContactField) =>
    findings.filter((finding) => finding.field === field).sort((a, b) => b.confidence - a.confidence);
  const values = (field: ContactField) => [...new Set(of(field).map(({ value }) => value))];
  const socials: Record<string, string> = {};
  for (const { network, value } of of('social')) if (network) socials[network] ??= value;
  return {
    company: of('company')[0]?.value ?? null,
    emails: values('email'),
    phones: values('phone'),
    faxes: values('fax'),
    addresses: of('address').flatMap(({ address }) => (address ? [address] : [])),
    socials,
  };
}
