import { parse } from 'tldts';
import type { Address, Contacts } from '../../../core/leads/lead.ts';
import { parsePage } from '../document/dom.ts';
import { findAddresses } from './addresses/postal-addresses.ts';
import { findCompany } from './company/company.ts';
import { findCompanyProfile } from './company/company-profile.ts';
import { likelyCountries } from './country.ts';
import { FREE_MAIL, findEmails } from './emails.ts';
import { readEntities } from './entities.ts';
import { findFacts, toFacts } from './facts/facts.ts';
import type { ContactField, Finding } from './finding.ts';
import { isListing, ofPublisher, type ReadPage } from './listing.ts';
import { metaContent, type PageElements, pageElements } from './page-elements.ts';
import { pageLines } from './page-lines.ts';
import { findPhones, LABELLED } from './phones/phones.ts';
import { findSocials } from './socials.ts';
import { findStructuredContacts } from './structured-contacts.ts';
import { withoutThirdParties } from './third-parties/third-party-filter.ts';

/** A parsed page, and what is known about it from elsewhere. */
export interface ContactsInput {
  /** From `parsePage`: absolute URLs, no shadow roots. Not modified. */
  document: Document;
  /** URL of the page after redirects. */
  url: string;
  /** Expected country of the business, ISO 3166-1 alpha-2, used if the page does not say. */
  country?: string;
}

/** Finds contacts and facts about the business behind a page. Pure; a few milliseconds per page. */
export function findContacts(input: { html: string; url: string; country?: string }): Finding[] {
  return findDocumentContacts({ ...input, document: parsePage(input.html, input.url) });
}

/** Same as `findContacts`, for a parsed page. Sorted by confidence, highest first. */
export const findDocumentContacts = (input: ContactsInput): Finding[] => bySurety(readDocument(input).found);

/** The findings that are of the site's owner: a page that lists other businesses keeps its own. */
export function findOwnerContacts(input: { html: string; url: string; country?: string }): {
  findings: Finding[];
  isListing: boolean;
} {
  const page = readDocument({ ...input, document: parsePage(input.html, input.url) });
  const listed = isListing(page);
  return { findings: bySurety(listed ? ofPublisher(page) : page.found), isListing: listed };
}

const bySurety = (found: readonly Finding[]): Finding[] =>
  resolveConflicts(found).sort((a, b) => b.confidence - a.confidence);

function readDocument({ document, url, country }: ContactsInput): ReadPage {
  const lines = pageLines(document);
  const page = pageElements(document);
  const site = identifySite(document, page, url);
  const { lines: own, foreign } = withoutThirdParties(lines, site.domain);
  const entities = readEntities(page);
  const language = document.documentElement?.getAttribute('lang') ?? '';
  const countries = likelyCountries(language, lines, entities, {
    host: site.host,
    hint: country,
  });
  const found = [
    ...findStructuredContacts(entities, countries, site.domain),
    ...findCompany(page, own, entities, site),
    ...findEmails(page, { lines, own, foreign }, site.domain),
    ...findPhones(page, { lines: own, foreign }, countries),
    ...findAddresses(own, countries),
    ...findSocials(page, entities, site.domain),
    ...findCompanyProfile(page, lines),
  ];
  const facts = findFacts(own, entities, { contacts: found, countries, domain: site.domain, language });
  return { found: [...found, ...facts], entities, lines: own, ownDomain: site.domain };
}

/**
 * The site of a page. A saved page names it in its `base`; one read from another host (a cache, a
 * test, an IP address) may still name it by its canonical URL or the domain of its e-mail.
 */
function identifySite(
  document: Document,
  page: PageElements,
  url: string,
): { host: string; domain: string | null } {
  const mail = page.links
    .map((link) => /^mailto:[^@?]+@([\w.-]+)/i.exec(link.getAttribute('href') ?? '')?.[1])
    .filter((host) => host !== undefined && !FREE_MAIL.test(host.toLowerCase()));
  const options = [
    document.querySelector('base[href]')?.getAttribute('href'),
    url,
    document.querySelector('link[rel="canonical"]')?.getAttribute('href'),
    metaContent(page, 'og:url'),
    mail[0],
  ];
  for (const option of options) {
    const { hostname, domain, isIcann } = parse(option ?? '', { validateHostname: false });
    if (hostname && domain && isIcann) return { host: hostname.replace(/^www\./, ''), domain };
  }
  return { host: (parse(url).hostname ?? '').replace(/^www\./, ''), domain: null };
}

/**
 * Keeps each fact once per method. A number that the text labels as fax is no phone, whatever a
 * link or structured data calls it; an address that another one completes is dropped.
 */
function resolveConflicts(found: readonly Finding[]): Finding[] {
  const faxes = new Set(found.filter(({ field }) => field === 'fax').map(({ value }) => value));
  const isLabelled = (finding: Finding) => finding.method === 'text' && finding.confidence >= LABELLED;
  const phones = new Set(
    found.filter((finding) => finding.field === 'phone' && isLabelled(finding)).map(({ value }) => value),
  );
  const seen = new Set<string>();
  return found.filter((finding) => {
    const { field, value, method, address } = finding;
    if (field === 'phone' && faxes.has(value) && !phones.has(value)) return false;
    if (address && found.some((other) => other.address && completes(other.address, address))) return false;
    const key = `${field} ${method} ${value}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

const completes = (whole: Address, part: Address): boolean =>
  part.street === null &&
  whole.street !== null &&
  (part.postal_code ?? part.city) !== null &&
  (part.postal_code === null || whole.postal_code === part.postal_code) &&
  (part.city === null || whole.city === part.city || whole.text.includes(part.city));

/** The findings as the page format `contacts`: distinct values, highest confidence first. */
export function toContacts(findings: readonly Finding[]): Contacts {
  const of = (field: ContactField) =>
    findings.filter((finding) => finding.field === field).sort((a, b) => b.confidence - a.confidence);
  const values = (field: ContactField) => [...new Set(of(field).map(({ value }) => value))];
  const socials: Record<string, string> = {};
  for (const { network, value } of of('social')) if (network) socials[network] ??= value;
  const company = of('company')[0]?.value ?? null;
  const [emails, phones, faxes] = [values('email'), values('phone'), values('fax')];
  return {
    company,
    emails,
    phones,
    faxes,
    addresses: deduplicateAddresses(of('address').flatMap(({ address }) => (address ? [address] : []))),
    socials,
    ...toFacts({
      ...{ company, emails, phones, faxes },
      legalName: of('legal_name')[0],
      people: of('person').flatMap(({ person }) => person ?? []),
      registrations: of('registration').flatMap(({ registration }) => registration ?? []),
      openingHours: values('opening_hours'),
      language: of('language')[0]?.value ?? null,
    }),
  };
}

/** Merges two spellings of one address; missing parts are taken from the other. */
function deduplicateAddresses(addresses: readonly Address[]): Address[] {
  const kept: Address[] = [];
  for (const address of addresses) {
    const same = kept.findIndex((other) => isSameAddress(other, address));
    const other = kept[same];
    if (!other) kept.push(address);
    else
      kept[same] = {
        ...other,
        street: other.street ?? address.street,
        city: other.city ?? address.city,
        region: other.region ?? address.region,
        postal_code: other.postal_code ?? address.postal_code,
        country: other.country ?? address.country,
      };
  }
  return kept;
}

const plain = (text: string | null): string => (text ?? '').toLowerCase().replace(/[^\p{L}\d]/gu, '');

function isSameAddress(a: Address, b: Address): boolean {
  const [one, two] = [plain(a.street ?? a.text), plain(b.street ?? b.text)];
  if (!(one === two || (one.length > 8 && two.includes(one)) || (two.length > 8 && one.includes(two))))
    return false;
  const agree = (x: string | null, y: string | null) => !x || !y || plain(x) === plain(y);
  return agree(a.postal_code, b.postal_code) && agree(a.city, b.city);
}
