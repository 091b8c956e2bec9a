import type { BusinessFacts, Person, PhoneKind, Registration } from '../../../../core/leads/lead.ts';
import type { Entity } from '../entities.ts';
import type { Finding } from '../finding.ts';
import type { Line } from '../page-lines.ts';
import { emailKind, phoneKind } from './kinds.ts';
import { findLegalName } from './legal-names.ts';
import { findOpeningHours } from './opening-hours.ts';
import { findPeople } from './people.ts';
import { findRegistrations } from './registrations.ts';

/** Facts about the business beside its contacts: who runs it, under which name and numbers, when it is open. */
export function findFacts(
  lines: readonly Line[],
  entities: readonly Entity[],
  page: {
    contacts: readonly Finding[];
    countries: readonly string[];
    domain: string | null;
    language: string;
  },
): Finding[] {
  const { contacts, countries, domain } = page;
  const company = contacts.find(({ field }) => field === 'company')?.value ?? null;
  const emails = contacts.flatMap(({ field, value }) => (field === 'email' ? [value] : []));
  const language = /^[a-z]{2}(?=$|[-_])/.exec(page.language.trim().toLowerCase())?.[0];
  return [
    ...findLegalName(lines, entities, { domain, company }),
    ...findPeople(lines, entities, { emails, countries }),
    ...findRegistrations(lines, entities, countries),
    ...findOpeningHours(lines, entities),
    ...(language
      ? [
          {
            ...{ field: 'language' as const, value: language, method: 'lang' },
            ...{ snippet: page.language.slice(0, 20), confidence: 0.8 },
          },
        ]
      : []),
  ];
}

/** The facts as pages and leads show them; each list is most certain first. */
export function toFacts(known: {
  company: string | null;
  emails: readonly string[];
  phones: readonly string[];
  faxes: readonly string[];
  legalName: { value: string; form?: string } | undefined;
  people: readonly Person[];
  registrations: readonly Registration[];
  openingHours: readonly string[];
  language: string | null;
}): BusinessFacts {
  const names = known.people.map(({ name }) => name);
  const phoneKinds: Record<string, PhoneKind> = {};
  for (const fax of known.faxes) phoneKinds[fax] = 'fax';
  for (const phone of known.phones) phoneKinds[phone] = phoneKind(phone);
  return {
    legal_name: known.legalName?.value ?? null,
    legal_form: known.legalName?.form || null,
    people: [...known.people],
    registrations: [...known.registrations],
    opening_hours: [...known.openingHours],
    language: known.language,
    email_kinds: Object.fromEntries(
      known.emails.map((address) => [address, emailKind(address, names, known.company)]),
    ),
    phone_kinds: phoneKinds,
  };
}
