import type { Address, Evidence, Lead, Person } from '../../core/leads/lead.ts';
import { foldNames } from '../../core/text.ts';
import { toFacts } from '../extraction/contacts/facts/facts.ts';
import type { ContactField, Observation } from '../extraction/contacts/finding.ts';
import { withoutEnding } from '../extraction/document/lines.ts';

/** A lead without the fields that the job decides. */
export type MergedLead = Omit<Lead, 'unverified_filters'>;

/** Minimum combined confidence of a value. */
const MIN_SCORE = 0.3;
const MAX_VALUES: Partial<Record<ContactField, number>> = {
  ...{ email: 20, phone: 20, fax: 10, address: 10 },
  ...{ person: 30, registration: 10, opening_hours: 21 },
};
const EVIDENCE_PER_VALUE = 3;
const MAX_EVIDENCE = 160;
const MAX_SNIPPET = 240;

/**
 * Merges all observations of a site into one lead. A value's score grows with each page that has
 * it, as the probabilities of error multiply. Single fields take the best value, lists all values
 * above `MIN_SCORE`, best first. Bounded, whatever a site repeats.
 */
export function mergeLead(site: {
  website: string | null;
  domain: string | null;
  sources: readonly string[];
  observations: readonly Observation[];
}): MergedLead {
  const values = new Map<ContactField, Value[]>();
  const own = site.observations.filter((observation) => !isThirdParty(observation));
  for (const [field, observations] of groupByField([...own, ...own.flatMap(phoneOfSharedLine)])) {
    const candidates = mergeValues(field, observations).slice(
      0,
      MAX_VALUES[field] ?? Number.POSITIVE_INFINITY,
    );
    values.set(field, candidates);
  }
  separateFaxes(values);
  const list = (field: ContactField): Value[] => values.get(field) ?? [];
  const single = (field: ContactField): Value | undefined => list(field)[0];
  const profiles = bestProfiles(list('social'));

  const kept: Value[] = [
    ...([...SINGLE_FIELDS, 'language'] as const).flatMap((field) => single(field) ?? []),
    ...list('email'),
    ...list('phone'),
    ...list('fax'),
    ...list('address'),
    ...list('person'),
    ...list('registration'),
    ...list('opening_hours'),
    ...profiles.values(),
  ];
  const company = single('company')?.best.value ?? null;
  const of = (field: ContactField) => list(field).map(({ best }) => best.value);
  const legalName = single('legal_name')?.best;
  return {
    company,
    website: site.website,
    domain: site.domain,
    emails: of('email'),
    phones: of('phone'),
    faxes: of('fax'),
    addresses: list('address').flatMap(({ address }) => address ?? []),
    socials: Object.fromEntries([...profiles].map(([network, { best }]) => [network, best.value])),
    industry: single('industry')?.best.value ?? null,
    description: single('description')?.best.value ?? null,
    employees: single('employees')?.best.value ?? null,
    logo: single('logo')?.best.value ?? null,
    ...toFacts({
      ...{ company, emails: of('email'), phones: of('phone'), faxes: of('fax'), legalName },
      people: list('person').flatMap(({ observations }) => mergePerson(observations) ?? []),
      registrations: list('registration').flatMap(({ best }) => best.registration ?? []),
      openingHours: of('opening_hours'),
      language: single('language')?.best.value ?? null,
    }),
    sources: [...new Set(site.sources)],
    evidence: selectEvidence(kept),
  };
}

const SINGLE_FIELDS = ['company', 'legal_name', 'industry', 'description', 'employees', 'logo'] as const;

/** The person of highest confidence, with what other pages add. */
function mergePerson(observations: readonly Observation[]): Person | null {
  const known = observations.flatMap(({ person }) => person ?? []);
  const [first] = known;
  if (!first) return null;
  const part = (name: 'role' | 'email' | 'phone') => known.find((person) => person[name])?.[name] ?? null;
  return { name: first.name, role: part('role'), email: part('email'), phone: part('phone') };
}

/**
 * Imprints and privacy pages name third parties: the host, the web agency, the supervisory
 * authority. The words between the last end of a sentence and a value reveal them.
 */
const THIRD_PARTY =
  /\b(h[ée]berg(eur|ement|é)|hosting|hosted by|hoster|webhoster|alojamiento|webdesign|web design|website by|site by|designed by|r[ée]alisation|umsetzung|gestaltung|aufsichtsbeh[öo]rde|supervisory authority|streitbeilegung|schlichtungsstelle)\b[^.!?]{0,80}$/i;

function isThirdParty({ field, value, snippet }: Observation): boolean {
  if (field === 'company' || field === 'description' || field === 'industry' || field === 'language')
    return false;
  const place = snippet.indexOf(value.slice(0, 12));
  return place > 0 && THIRD_PARTY.test(snippet.slice(0, place));
}

const TELEPHONE_AND_FAX =
  /\b(tel\w*|phone|fon|t[ée]l)\.?(\s*[/&+-]\s*|\s+(e|et|y|i|und|and|en|oraz)\s+)(tele)?fax/i;

/** `Tel./Fax: 030 123456` is phone and fax, whichever of the two was observed. */
function phoneOfSharedLine(observation: Observation): Observation[] {
  if (observation.field !== 'fax' || !TELEPHONE_AND_FAX.test(observation.snippet)) return [];
  return [{ ...observation, field: 'phone' }];
}

/**
 * The observations behind a stored lead, so that a later page or source can be merged into it.
 * Every value is stored with its evidence, so the lead has all that is needed.
 */
export function toObservations(lead: Lead): Observation[] {
  const addresses = new Map(lead.addresses.map((address) => [address.text, address]));
  const networks = new Map(Object.entries(lead.socials).map(([network, url]) => [url, network]));
  const people = new Map((lead.people ?? []).map((person) => [person.name, person]));
  const registrations = new Map((lead.registrations ?? []).map((one) => [one.number, one]));
  return lead.evidence.map(({ field, value, url, method, snippet, confidence, found_at }) => {
    const person = field === 'person' ? people.get(value) : undefined;
    const registration = field === 'registration' ? registrations.get(value) : undefined;
    const form = field === 'legal_name' && value === lead.legal_name ? lead.legal_form : null;
    const address = field === 'address' ? addresses.get(value) : undefined;
    const network = field === 'social' ? networks.get(value) : undefined;
    return {
      ...{ field: field as ContactField, value, url, method, snippet, confidence },
      ...(address ? { address } : {}),
      ...(network ? { network } : {}),
      ...(person ? { person } : {}),
      ...(registration ? { registration } : {}),
      ...(form ? { form } : {}),
      ...(found_at ? { found_at } : {}),
    };
  });
}

/** One value of a field with its observations, highest confidence first. */
interface Value {
  field: ContactField;
  best: Observation;
  observations: Observation[];
  /** 0 to 1. */
  score: number;
  address: Address | null;
}

function groupByField(observations: readonly Observation[]): Map<ContactField, Observation[]> {
  const fields = new Map<ContactField, Observation[]>();
  for (const observation of observations) {
    fields.set(observation.field, [...(fields.get(observation.field) ?? []), observation]);
  }
  return fields;
}

function mergeValues(field: ContactField, observations: Observation[]): Value[] {
  const groups = new Map<string, Observation[]>();
  for (const observation of observations) {
    const key = identityKey(observation);
    if (key === '') continue;
    groups.set(key, [...(groups.get(key) ?? []), observation]);
  }
  const values = [...groups.values()].map((group) => mergeGroup(field, group));
  const sure = values.filter(({ score }) => score >= MIN_SCORE).sort((a, b) => b.score - a.score);
  return field === 'address' ? withoutParts(sure) : sure;
}

function mergeGroup(field: ContactField, group: Observation[]): Value {
  const observations = group.sort((a, b) => b.confidence - a.confidence);
  const [best] = observations;
  if (!best) throw new Error('a value without observations');
  return {
    field,
    best,
    observations,
    score: combineConfidence(observations),
    address: field === 'address' ? mergeAddresses(observations) : null,
  };
}

/** A page counts once, and further pages count less: a footer on every page is one statement. */
function combineConfidence(observations: Observation[]): number {
  const byPage = new Map<string, number>();
  for (const { url, confidence } of observations) byPage.set(url, Math.max(byPage.get(url) ?? 0, confidence));
  const [first = 0, ...others] = [...byPage.values()].sort((a, b) => b - a);
  return 1 - others.reduce((doubt, confidence) => doubt * (1 - confidence * 0.3), 1 - first);
}

/** Observations with the same key are of the same value, however it is spelled. */
function identityKey({ field, value, address, network }: Observation): string {
  switch (field) {
    case 'company':
      return companyKey(value) || foldNames(value);
    case 'phone':
    case 'fax':
      return value.replace(/[^\d+]/g, '');
    case 'social':
      return `${network ?? ''} ${withoutEnding(value.toLowerCase(), '/')}`;
    case 'address':
      return addressKey(address, value);
    case 'email':
      return value.toLowerCase();
    case 'logo':
    case 'opening_hours':
      return value;
    case 'registration':
      return value.replace(/[^\p{L}\d]/gu, '').toUpperCase();
    default:
      return foldNames(value);
  }
}

const LEGAL_FORM =
  /\b(gmbh|mbh|ag|kg|ohg|ug|haftungsbeschrankt|gbr|e k|e v|ev|eg|se|co|inc|llc|llp|ltd|limited|plc|corp|corporation|company|sarl|sas|sasu|eurl|sa|s a|sl|slu|s l|srl|s r l|spa|s p a|bv|b v|nv|n v|ab|as|oy|aps|sp z o o|s r o|kft|pty)\b/g;

/**
 * Name without case, accents and legal form: `Acme GmbH` and `ACME` are equal, `Müller & Söhne
 * GmbH` and `Mueller und Soehne` are not.
 */
export const companyKey = (name: string): string =>
  foldNames(name).replace(LEGAL_FORM, ' ').replace(/\s+/g, ' ').trim();

function addressKey(address: Address | undefined, text: string): string {
  if (!address?.street) return foldNames(text);
  const street = foldNames(address.street)
    .replace(/(stra(ss|s)e|str)\b/g, 'str')
    .replace(/\b(street|st)\b/g, 'st')
    .replace(/ /g, '');
  return `${foldNames(address.postal_code ?? address.city ?? '').replace(/ /g, '')} ${street}`;
}

/** Drops `12345 Berlin` beside `Hauptstr. 1, 12345 Berlin`. */
function withoutParts(values: Value[]): Value[] {
  return values.filter(({ address }, index) => {
    if (!address || address.street) return true;
    return !values.some(
      (other, place) =>
        place !== index &&
        other.address?.street &&
        (address.postal_code === null || other.address.postal_code === address.postal_code) &&
        (address.city === null || foldNames(other.address.city ?? '') === foldNames(address.city)),
    );
  });
}

/** The address of highest confidence, with missing parts from the others. */
function mergeAddresses(observations: Observation[]): Address | null {
  const known = observations.flatMap(({ address }) => address ?? []);
  const [first] = known;
  if (!first) return null;
  const part = (name: Exclude<keyof Address, 'text'>) =>
    known.find((address) => address[name] !== null)?.[name] ?? null;
  return {
    text: first.text,
    street: first.street,
    city: part('city'),
    region: part('region'),
    postal_code: part('postal_code'),
    country: part('country'),
  };
}

/**
 * Resolves numbers observed as both phone and fax: the higher score wins, because the other
 * observation may have missed the label. A shared line, observed as both in one place, stays both.
 */
function separateFaxes(values: Map<ContactField, Value[]>): void {
  const faxes = new Map((values.get('fax') ?? []).map((fax) => [identityKey(fax.best), fax]));
  const phones = (values.get('phone') ?? []).filter((phone) => {
    const fax = faxes.get(identityKey(phone.best));
    if (!fax || isSharedLine(phone, fax)) return true;
    if (fax.score >= phone.score) return false;
    faxes.delete(identityKey(phone.best));
    return true;
  });
  values.set('phone', phones);
  values.set('fax', [...faxes.values()]);
}

const isSharedLine = (phone: Value, fax: Value): boolean =>
  phone.observations.some((a) => fax.observations.some((b) => a.url === b.url && a.snippet === b.snippet));

function bestProfiles(values: Value[]): Map<string, Value> {
  const profiles = new Map<string, Value>();
  for (const value of values) {
    const { network } = value.best;
    if (network && !profiles.has(network)) profiles.set(network, value);
  }
  return profiles;
}

/** Evidence in rounds: each value gets its best before any gets a second. */
function selectEvidence(values: Value[]): Evidence[] {
  const rounds: Evidence[] = [];
  const chosen = values.map((value) => ({ value, places: surestByPage(value.observations) }));
  for (let round = 0; round < EVIDENCE_PER_VALUE; round += 1) {
    for (const { value, places } of chosen) {
      const observation = places[round];
      if (!observation) continue;
      rounds.push({
        field: value.field,
        // The lead's spelling, so that value and evidence match.
        value: value.field === 'address' ? (value.address?.text ?? observation.value) : value.best.value,
        url: observation.url,
        method: observation.method,
        snippet: observation.snippet.slice(0, MAX_SNIPPET),
        confidence: Math.round(observation.confidence * 100) / 100,
        ...(observation.found_at ? { found_at: observation.found_at } : {}),
      });
    }
  }
  return rounds.slice(0, MAX_EVIDENCE);
}

const surestByPage = (observations: Observation[]): Observation[] =>
  [
    ...new Map([...observations].reverse().map((observation) => [observation.url, observation])).values(),
  ].sort((a, b) => b.confidence - a.confidence);
