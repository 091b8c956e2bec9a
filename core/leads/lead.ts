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

/** Contact data of the business behind a page: `contacts` of a page. */
export interface Contacts {
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
}

/** A business: one per registrable domain. Unknown fields are null or empty. */
export interface Lead {
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
