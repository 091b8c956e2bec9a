import type { Address } from '../../../core/leads/lead.ts';

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
] as const;
export type ContactField = (typeof CONTACT_FIELDS)[number];

/** One fact that a page tells about a business, with what it rests on. */
export interface Finding {
  field: ContactField;
  /** As it goes into a lead: an e-mail address in lower case, a phone in E.164 where the country is known, a canonical URL. */
  value: string;
  /** Of an address: its parts. */
  address?: Address;
  /** Of a social profile: the network, such as `linkedin`. */
  network?: string;
  /** How it was found, such as `json_ld`, `microdata`, `open_graph`, `mailto`, `tel`, `cfemail`, `text`. */
  method: string;
  /** The words around it, as the page has them. */
  snippet: string;
  /** 0 to 1. */
  confidence: number;
}

/** A finding with the place it is from: a page of the site, or what a source said. */
export interface Observation extends Finding {
  url: string;
}
