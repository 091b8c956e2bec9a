import { parse } from 'tldts';
import { isAggregatorSite } from '../../../core/leads/domains.ts';
import { FREE_MAIL } from './emails.ts';
import { type Entity, propertyText } from './entities.ts';
import type { Finding } from './finding.ts';
import type { Line } from './page-lines.ts';
import { isBusiness } from './structured-contacts.ts';

/** From this many on, other businesses are what the page is about. */
const MIN_BUSINESSES = 4;
/** A firm rarely publishes this many mailboxes at free mail providers. */
const MIN_FREE_MAILBOXES = 8;

/** What was read from a page, for the decision whose it is. */
export interface ReadPage {
  found: readonly Finding[];
  entities: readonly Entity[];
  /** Without those about third parties. */
  lines: readonly Line[];
  ownDomain: string | null;
}

/**
 * Whether a page lists other businesses: a directory, a members' list, search results. Branches of
 * one chain share its mail domain and name, so they do not count.
 */
export function isListing({ found, entities, lines, ownDomain }: ReadPage): boolean {
  const domains = new Set<string>();
  const free = new Set<string>();
  let own = 0;
  const of = (field: string) => new Set(found.filter((one) => one.field === field).map(({ value }) => value));
  for (const value of of('email')) {
    const host = value.slice(value.indexOf('@') + 1);
    const domain = parse(host).domain ?? host;
    if (domain === ownDomain) own += 1;
    else if (FREE_MAIL.test(host)) free.add(value);
    else domains.add(domain);
  }
  if (domains.size >= MIN_BUSINESSES && domains.size > own) return true;
  if (domains.size + free.size >= MIN_FREE_MAILBOXES && domains.size + free.size > own) return true;
  if (distinctBusinesses(entities) >= MIN_BUSINESSES) return true;
  const numbers = of('phone').size;
  if (of('company').size === 0 && Math.max(numbers, of('address').size) >= MIN_UNNAMED) return true;
  return numbers >= MIN_BUSINESSES && sitesBesideNumbers(lines, ownDomain) >= MIN_BUSINESSES;
}

/** A business that does not name itself has fewer numbers or addresses than this. */
const MIN_UNNAMED = 8;
const LINES_OF_AN_ENTRY = 4;

/** How many other sites the entries of a list link to, each beside a phone number. */
function sitesBesideNumbers(lines: readonly Line[], ownDomain: string | null): number {
  const sites = new Set<string>();
  let numberAt = Number.NEGATIVE_INFINITY;
  let waiting: { site: string; at: number }[] = [];
  lines.forEach(({ text, area, anchors }, at) => {
    if (area !== 'body' || sites.size >= MIN_BUSINESSES) return;
    if (/\d{2}[\d ()./-]{3,20}\d{2}/.test(text)) {
      numberAt = at;
      for (const one of waiting) if (at - one.at <= LINES_OF_AN_ENTRY) sites.add(one.site);
      waiting = [];
    }
    for (const { element } of anchors.slice(0, 20)) {
      const { domain } = parse(element.getAttribute('href') ?? '');
      const isLinked = /^https?:/.test(element.getAttribute('href') ?? '');
      if (!isLinked || !domain || domain === ownDomain || isAggregatorSite(`https://${domain}`)) continue;
      if (at - numberAt <= LINES_OF_AN_ENTRY) sites.add(domain);
      else waiting = [...waiting.slice(-5), { site: domain, at }];
    }
  });
  return sites.size;
}

/** Entities with an address or number and names that share no first word. */
function distinctBusinesses(entities: readonly Entity[]): number {
  const names = new Set<string>();
  for (const entity of entities.slice(0, 500)) {
    if (!isBusiness(entity) || !REACHED.some((name) => entity.properties.has(name))) continue;
    const first = /[\p{L}\d]+/u.exec(
      (propertyText(entity, 'name') ?? '').toLowerCase().replace(/^(?:the|la|le|der|die|das)\s/, ''),
    );
    if (first) names.add(first[0]);
  }
  return names.size;
}

/** By these methods a listing names its entries. */
const STRUCTURED = new Set(['json_ld', 'microdata', 'rdfa', 'hcard', 'text']);
const REACHED = ['telephone', 'email', 'address'];

/**
 * A listing's findings without those of the listed businesses: what is left is the publisher's, at
 * its own domain or in the page's header and footer. Without a name the publisher is unknown too.
 */
export function ofPublisher({ found, lines, ownDomain }: ReadPage): Finding[] {
  const frame = lines
    .filter(({ area }) => area !== 'body')
    .map(({ text }) => text.toLowerCase())
    .join('\n')
    .slice(0, 50_000);
  const digits = frame.replace(/\D/g, '');
  const isPublished = ({ field, value, address, method }: Finding): boolean => {
    switch (field) {
      case 'email': {
        const host = value.slice(value.indexOf('@') + 1);
        return ownDomain !== null && (host === ownDomain || host.endsWith(`.${ownDomain}`));
      }
      case 'phone':
      case 'fax':
        return digits.includes(value.replace(/\D/g, '').slice(-7));
      case 'address':
        return frame.includes((address?.street ?? address?.text ?? value).toLowerCase());
      case 'company':
        return !STRUCTURED.has(method);
      default:
        return field === 'logo';
    }
  };
  return found.filter(isPublished);
}
