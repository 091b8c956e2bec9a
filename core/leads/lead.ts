/** Sources of leads: `source_types` of a job. */
export const SOURCE_TYPES = [
  'website',
  'google',
  'linkedin',
  'bing',
  'duckduckgo',
  'searxng',
  'openstreetmap',
  'directory',
] as const;
export type SourceType = (typeof SOURCE_TYPES)[number];

/** Default of a job's `max_leads`. */
export const DEFAULT_MAX_LEADS = 100;

/** A postal address. `text` is the original; unknown parts are null. */
export interface Address {
  text: string;
  street: string | null;
  city: string | null;
  region: string | null;
  postal_code: string | null;
  /** ISO 3166-1 alpha-2, upper case. */
  country: string | null;
}

/** Someone who speaks for a business. */
export interface Person {
  name: string;
  /** As the page writes it: `Geschäftsführer`, `CEO`. */
  role: string | null;
  email: string | null;
  phone: string | null;
}

export const REGISTRATION_KINDS = ['vat', 'register', 'tax'] as const;

/** A number under which an authority knows the business; its check digits are right, if it has any. */
export interface Registration {
  kind: (typeof REGISTRATION_KINDS)[number];
  /** As written, without spaces around: `DE136695976`, `HRB 12345 B`. */
  number: string;
  /** ISO 3166-1 alpha-2. */
  country: string | null;
  /** Of a register: the court or town, if named. */
  authority: string | null;
}

/** `role`: for a function such as `info` or `sales`. */
export type EmailKind = 'role' | 'person' | 'unknown';
export type PhoneKind =
  | 'fixed'
  | 'mobile'
  | 'fixed_or_mobile'
  | 'fax'
  | 'toll_free'
  | 'premium'
  | 'shared_cost'
  | 'voip'
  | 'other'
  | 'unknown';

/** What is known about a business beside its contacts. Unknown fields are null or empty. */
export interface BusinessFacts {
  /** The name with its legal form, as the imprint writes it. */
  legal_name: string | null;
  legal_form: string | null;
  people: Person[];
  registrations: Registration[];
  /** Such as `Mo-Fr 09:00-18:00`, one entry per range of days. */
  opening_hours: string[];
  /** Of the pages: ISO 639-1. */
  language: string | null;
  /** By address. */
  email_kinds: Record<string, EmailKind>;
  /** By number, faxes included. */
  phone_kinds: Record<string, PhoneKind>;
}

/** Contact data of the business behind a page: `contacts` of a page. */
export interface Contacts extends BusinessFacts {
  company: string | null;
  emails: string[];
  /** E.164 if the country is known, else as on the page. No fax numbers. */
  phones: string[];
  faxes: string[];
  addresses: Address[];
  /** Canonical profile URL by network: `{"linkedin": "https://www.linkedin.com/company/acme"}`. */
  socials: Record<string, string>;
}

/** The origin of one field of a lead. */
export interface Evidence {
  field: string;
  value: string;
  url: string;
  /** Extraction method, such as `json_ld`, `mailto` or `text`. */
  method: string;
  /** The surrounding text on the page. */
  snippet: string;
  /** 0 to 1. */
  confidence: number;
  /** When its page was read: ISO 8601, UTC. Absent in leads found before this was recorded. */
  found_at?: string;
}

/** A business: one per registrable domain. Unknown fields are null or empty. */
export interface Lead extends BusinessFacts {
  company: string | null;
  website: string | null;
  /** Registrable domain, such as `example.co.uk`; host and port if there is none. */
  domain: string | null;
  emails: string[];
  phones: string[];
  faxes: string[];
  addresses: Address[];
  socials: Record<string, string>;
  industry: string | null;
  description: string | null;
  /** As on the page: `50-200`, `120`. */
  employees: string | null;
  logo: string | null;
  /** Names of the sources that found it. */
  sources: string[];
  evidence: Evidence[];
  /** Filters of its job that could not be checked; the lead passed them. */
  unverified_filters: string[];
}
