import type { Address, Person, Registration } from '../../../core/leads/lead.ts';

export const CONTACT_FIELDS = [
  'company',
  'email',
  'phone',
  'fax',
  'address',
  'social',
  'industry',
  'description',
  'employees',
  'logo',
  'legal_name',
  'person',
  'registration',
  'opening_hours',
  'language',
] as const;
export type ContactField = (typeof CONTACT_FIELDS)[number];

/** One fact about a business, with its evidence. */
export interface Finding {
  field: ContactField;
  /** Normalized: e-mail in lower case, phone in E.164 if the country is known, canonical URL. */
  value: string;
  /** For an address: its parts. */
  address?: Address;
  /** For a person. */
  person?: Person;
  /** For a registration number. */
  registration?: Registration;
  /** For a legal name: its form. */
  form?: string;
  /** For a social profile: the network, such as `linkedin`. */
  network?: string;
  /**
   * How it was found, such as `json_ld`, `microdata`, `open_graph`, `mailto`, `tel`, `cfemail`,
   * `text`.
   */
  method: string;
  /** The text around it, as on the page. */
  snippet: string;
  /** 0 to 1. */
  confidence: number;
}

/** A finding with the URL of the page or source it comes from. */
export interface Observation extends Finding {
  url: string;
  /** When it was read: ISO 8601, UTC. */
  found_at?: string;
}
