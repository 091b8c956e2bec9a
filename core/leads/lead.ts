/** Where leads can come from: `source_types` of a job. */
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

/** Where a job does not say in `max_leads`. */
export const DEFAULT_MAX_LEADS = 100;

/** A postal address in parts. `text` is as the page has it; what is not known is null. */
export interface Address {
  text: string;
  street: string | null;
  city: string | null;
  region: string | null;
  postal_code: string | null;
  /** ISO 3166-1 alpha-2, upper case. */
  country: string | null;
}

/** What a page says about reaching the business behind it. `contacts` of a page. */
export interface Contacts {
  company: string | null;
  emails: string[];
  /** E.164 where the country is known, else as the page has it. Fax numbers are not among them. */
  phones: string[];
  faxes: string[];
  addresses: Address[];
  /** Canonical profile URL by network: `{"linkedin": "https://www.linkedin.com/company/acme"}`. */
  socials: Record<string, string>;
}

/** Where a field of a lead comes from. */
export interface Evidence {
  field: string;
  value: string;
  url: string;
  /** How it was found, such as `json_ld`, `mailto` or `text`. */
  method: string;
  /** The words around it, as the page has them. */
  snippet: string;
  /** 0 to 1. */
  confidence: number;
}

/** A business: one a registrable domain. What is not known is null or empty. */
export interface Lead {
  company: string | null;
  website: string | null;
  /** Registrable domain, such as `example.co.uk`; of a site at an address without a name, host and port. */
  domain: string | null;
  emails: string[];
  phones: string[];
  faxes: string[];
  addresses: Address[];
  socials: Record<string, string>;
  industry: string | null;
  description: string | null;
  /** As found: `50-200`, `120`. */
  employees: string | null;
  logo: string | null;
  /** Names of the sources that gave it. */
  sources: string[];
  evidence: Evidence[];
  /** Filters of its job that nothing known of it could answer: it was let through. */
  unverified_filters: string[];
}
