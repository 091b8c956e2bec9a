import type { ErrorInfo } from '../errors.ts';
import type { Contacts } from '../leads/lead.ts';

export interface Link {
  url: string;
  text: string;
  kind: LinkKind;
}

/** Link target: on the same site (same host, ignoring `www.`), elsewhere, or a file on either. */
export type LinkKind = 'internal' | 'external' | 'file';

/** A scraped page in the HTTP contract. Formats that were not requested are absent. */
export interface Page {
  url: string;
  /** After redirects. Null if no server answered. */
  final_url: string | null;
  status_code: number | null;
  content_type: string | null;
  title: string | null;
  markdown?: string;
  html?: string;
  raw_html?: string;
  text?: string;
  links?: Link[];
  metadata?: Record<string, unknown>;
  extracted?: Record<string, unknown>;
  /** Contact data of the business, from the whole page. */
  contacts?: Contacts;
  /** API path of the screenshot. */
  screenshot?: string;
  /** API path of the PDF. */
  pdf?: string;
  /** API paths of the pictures taken by `screenshot` actions, in order. */
  action_screenshots?: string[];
  engine: 'http' | 'browser';
  /** ISO 8601, UTC. */
  fetched_at: string;
  duration_ms: number;
  error: ErrorInfo | null;
  /** What it lacks although it was loaded; absent if nothing. */
  warnings?: ErrorInfo[];
}

/** A binary result of a page, stored apart from it. */
export interface Artifact {
  kind: 'screenshot' | 'pdf' | 'action_screenshot';
  contentType: string;
  body: Buffer;
}
