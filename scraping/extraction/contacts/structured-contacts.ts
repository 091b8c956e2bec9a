import type { Address } from '../../../core/leads/lead.ts';
import { emailAddress, isPlaceholder } from './emails.ts';
import { type Entity, entitiesIn, propertyText, propertyTexts, withoutMarkup } from './entities.ts';
import type { ContactField, Finding } from './finding.ts';
import { parsePhone } from './phones/phone-numbers.ts';
import { isUsState, parseCountry } from './places.ts';
import { excerpt } from './snippet.ts';

/** Types that have a phone or an address without being the business. */
const NOT_THE_BUSINESS =
  /^(?:Person|Event|\w+Event|JobPosting|Review|Product|Offer|AggregateOffer|Article|NewsArticle|BlogPosting|Recipe|Book|Movie|Comment|Question|Answer|Course|CreativeWork|VideoObject|ImageObject|BreadcrumbList|ListItem|Rating|AggregateRating|PropertyValue|Country|State|City|AdministrativeArea)$/;
/** Properties whose value is another party. */
const THIRD_PARTY_ROLES =
  /^(?:memberOf|member|sponsor|funder|affiliation|worksFor|alumniOf|hiringOrganization|itemReviewed|author|creator|recognizedBy|awardedBy|parentOrganization|subOrganization|manufacturer|brand|knowsAbout|owns|organizer|performer|location|containsPlace|review|makesOffer|hasOfferCatalog|provider|reviewedBy|areaServed|isPartOf|mentions|citation)$/;

/** Whether an entity is the business behind the page, or a branch of it. */
export const isBusiness = (entity: Entity): boolean =>
  !(entity.role !== null && THIRD_PARTY_ROLES.test(entity.role)) &&
  !entity.types.some((type) => NOT_THE_BUSINESS.test(type)) &&
  (entity.types.some((type) =>
    /Organization|Business|Corporation|Store|Company|Restaurant|Hotel|Attorney|Dentist|Physician|Clinic|Service$|Agency|School|University|NGO|Agent|Contractor|Plumber|Electrician|Bakery|Salon|Shop|Club|Center|Dealer|Repair|Lodging|Place|Office|Station|Park|Hospital|Pharmacy|Library|Museum|Brand$/.test(
      type,
    ),
  ) ||
    ['telephone', 'faxNumber', 'address', 'contactPoint'].some((name) => entity.properties.has(name)));

/**
 * Contacts and facts from JSON-LD, microdata, RDFa and hCard. Without the name, which `findCompany`
 * decides by vote.
 */
export function findStructuredContacts(
  entities: readonly Entity[],
  countries: readonly string[],
  ownDomain: string | null,
): Finding[] {
  return entities.filter(isBusiness).flatMap((entity) => collectFindings(entity, countries, ownDomain));
}

function collectFindings(entity: Entity, countries: readonly string[], ownDomain: string | null): Finding[] {
  const found: Finding[] = [];
  const { method } = entity;
  const who = propertyText(entity, 'name') ?? '';
  const add = (field: ContactField, value: string, written: string, more: Partial<Finding> = {}) =>
    found.push({ field, value, method, snippet: excerpt(`${who} ${written}`), confidence: 0.95, ...more });

  const addresses = entitiesIn(entity, 'address').concat(
    entity.types.includes('PostalAddress') && entity.role === null ? [entity] : [],
  );
  const places = addresses.flatMap((part) => postalAddress(part) ?? []);
  // Where the entity says its country, a number that is invalid there is no other country's.
  const stated = [...new Set(places.flatMap(({ country }) => country ?? []))];
  const from = stated.length > 0 ? stated : countries;
  const reachable = [
    entity,
    ...entitiesIn(entity, 'contactPoint'),
    ...entitiesIn(entity, 'contactPoints'),
    ...addresses,
  ];
  for (const point of reachable) {
    for (const text of propertyTexts(point, 'telephone', 'phone', 'tel'))
      for (const written of text.split(/\s?[,;/|]\s?(?=[+(\d])|\sor\s/)) {
        const number = parsePhone(written.replace(/^tel:/i, '').replace(/^[^+(\d]{1,20}/, ''), from);
        const isFax = /fax/i.test(propertyText(point, 'contactType') ?? '') || /fax/i.test(written);
        if (number) add(isFax ? 'fax' : 'phone', number.value, written);
      }
    for (const text of propertyTexts(point, 'faxNumber', 'fax')) {
      const number = parsePhone(text.replace(/^[^+(\d]{1,20}/, ''), from);
      if (number) add('fax', number.value, text);
    }
    for (const text of propertyTexts(point, 'email')) {
      const address = emailAddress(text.replace(/^mailto:/i, '').split('?')[0] ?? '');
      if (address && !isPlaceholder(address, ownDomain)) add('email', address, text);
    }
  }
  for (const address of places) add('address', address.text, address.text, { address });
  for (const text of addresses.length > 0 ? [] : propertyTexts(entity, 'address')) {
    const clean = withoutMarkup(text).replace(/\s+/g, ' ').trim();
    if (clean.length > 8 && /\d/.test(clean))
      add('address', clean, clean, { address: unparsedAddress(clean), confidence: 0.6 });
  }
  const employees = readEmployees(entity);
  if (employees) add('employees', employees, `${employees} employees`);
  for (const name of ['naics', 'isicV4', 'industry', 'knowsAbout', 'servesCuisine'] as const) {
    const text = name === 'naics' || name === 'isicV4' ? null : propertyText(entity, name);
    if (text && text.length < 120 && found.every(({ field }) => field !== 'industry'))
      add('industry', text, text, { confidence: 0.8 });
  }
  const kind = entity.types.map(industryFromType).find(Boolean);
  if (kind) add('industry', kind, entity.types.join(' '), { confidence: 0.75 });
  const description = propertyText(entity, 'description', 'slogan', 'disambiguatingDescription');
  if (description && description.length >= 20)
    add('description', description.slice(0, 1000), description, { confidence: 0.85 });
  const logo = propertyText(entity, 'logo');
  const image = entitiesIn(entity, 'logo')[0];
  const address = (image && propertyText(image, 'url', 'contentUrl', '@id')) ?? logo;
  if (address && /^https?:/.test(address)) add('logo', address, address);
  return found;
}

/**
 * The industry in a schema.org type: `HVACBusiness` gives `hvac business`. Null for general types.
 */
function industryFromType(type: string): string | null {
  if (
    /^(?:Organization|LocalBusiness|Corporation|Place|Brand|Service|ProfessionalService|Store|OnlineBusiness|OnlineStore|NGO|Thing|PostalAddress|ContactPoint|OfferCatalog|FAQPage|WebSite|WebPage|AboutPage|ContactPage)$/.test(
      type,
    )
  )
    return null;
  if (
    !/Business|Store|Restaurant|Hotel|Attorney|Dentist|Physician|Clinic|Agency|School|Agent|Contractor|Plumber|Electrician|Bakery|Salon|Club|Dealer|Repair|Lodging|Hospital|Pharmacy|LegalService|Notary|CafeOrCoffeeShop|Airline|Library|Museum|FoodEstablishment|Brewery|Winery|Gym|MovingCompany|Locksmith|Optician/.test(
      type,
    )
  )
    return null;
  return type
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase();
}

function readEmployees(entity: Entity): string | null {
  const range = entitiesIn(entity, 'numberOfEmployees')[0];
  if (!range) return propertyText(entity, 'numberOfEmployees', 'employees');
  const [least, most, value] = [
    propertyText(range, 'minValue'),
    propertyText(range, 'maxValue'),
    propertyText(range, 'value'),
  ];
  return least && most ? `${least}-${most}` : (value ?? (least ? `${least}+` : most));
}

function postalAddress(part: Entity): Address | null {
  const get = (...names: string[]) =>
    withoutMarkup(propertyText(part, ...names) ?? '')
      .replace(/\s+/g, ' ')
      .replace(/^[\s,]+|[\s,]+$/g, '') || null;
  const streets = propertyTexts(part, 'streetAddress').map((text) =>
    withoutMarkup(text)
      .replace(/\s+/g, ' ')
      .replace(/[\s,]+$/, ''),
  );
  const box = get('postOfficeBoxNumber');
  const street = [...streets, ...(box ? [/\D/.test(box) ? box : `PO Box ${box}`] : [])].join(', ') || null;
  const city = get('addressLocality');
  const region = get('addressRegion');
  const code = get('postalCode');
  const country = get('addressCountry');
  if (!street && !(city && code)) return null;
  return {
    text: [street, city, [region, code].filter(Boolean).join(' '), country].filter(Boolean).join(', '),
    street,
    city,
    region,
    postal_code: code,
    country: (country ? parseCountry(country) : null) ?? countryFromPostcode(region, code),
  };
}

/** The country that state and postcode prove; null otherwise. */
function countryFromPostcode(region: string | null, code: string | null): string | null {
  if (/^[A-Z]\d[A-Z]\s?\d[A-Z]\d$/.test(code ?? '')) return 'CA';
  if (/^[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}$/.test(code ?? '')) return 'GB';
  return /^\d{5}(?:-\d{4})?$/.test(code ?? '') && isUsState(region ?? '') ? 'US' : null;
}

const unparsedAddress = (text: string): Address => ({
  text,
  street: null,
  city: null,
  region: null,
  postal_code: null,
  country: null,
});
