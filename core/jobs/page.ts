import type { ErrorInfo } from '../errors.ts';
import type { Contacts } from '../leads/lead.ts';

export interface Link {
  url: string;
  text: string;
  kind: LinkKind;
}

/** Where a link leads: within the site (hosts under one name, `www.` aside), elsewhere, or to a file of either. */
export type LinkKind = 'internal' | 'external' | 'file';

/** A scraped page as the HTTP contract shows it. What was not asked for is absent. */
export interface Page {
  url: string;
  /** After redirects. Null when nothing answered. */
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
  /** What the whole page says about reaching the business behind it. */
  contacts?: Contacts;
  /** Path under the API where the picture is served. */
  screenshot?: string;
  /** Path under the API where the document is served. */
  pdf?: string;
  /** Paths of the pictures taken by `screenshot` actions, in order. */
  action_screenshots?: string[];
  engine: 'http' | 'browser';
  /** ISO 8601, UTC. */
  fetched_at: string;
  duration_ms: number;
  error: ErrorInfo | null;
}

/** A binary result of a page, stored beside it. */
export interface Artifact {
  kind: 'screenshot' | 'pdf' | 'action_screenshot';
  contentType: string;
  body: Buffer;
}
