/** Requests and answers of the API, named as in its reference (docs/reference). */

export type Format =
  | 'markdown'
  | 'html'
  | 'raw_html'
  | 'text'
  | 'links'
  | 'metadata'
  | 'contacts'
  | 'screenshot'
  | 'pdf';

export type SourceType =
  | 'website'
  | 'google'
  | 'linkedin'
  | 'bing'
  | 'duckduckgo'
  | 'searxng'
  | 'openstreetmap'
  | 'directory';

/** A CSS selector, or a rule. */
export type ExtractField =
  | string
  | {
      selector: string;
      attribute?: string;
      many?: boolean;
      type?: 'text' | 'html' | 'number' | 'integer' | 'boolean' | 'date' | 'url';
      fields?: Record<string, ExtractField>;
    };

export type Action =
  | { type: 'wait'; ms?: number; selector?: string }
  | { type: 'click' | 'hover'; selector: string }
  | { type: 'type'; selector: string; text: string }
  | { type: 'select'; selector: string; value: string }
  | { type: 'press'; key: string; selector?: string }
  | { type: 'scroll'; direction?: 'up' | 'down'; amount?: number; selector?: string }
  | { type: 'screenshot'; full_page?: boolean };

export interface Cookie {
  name: string;
  value: string;
  url?: string;
  domain?: string;
  path?: string;
  /** Seconds since 1970. */
  expires?: number;
  http_only?: boolean;
  secure?: boolean;
  same_site?: 'strict' | 'lax' | 'none';
}

export interface CrawlRules {
  max_pages?: number;
  max_depth?: number;
  include?: string[];
  exclude?: string[];
  same_origin?: boolean;
}

export interface LeadFilters {
  country?: string | string[];
  city?: string | string[];
  industry?: string | string[];
  company_size?: string | number;
  revenue?: string | number;
  has_email?: boolean;
  has_phone?: boolean;
  has_address?: boolean;
  has_website?: boolean;
  exclude_domains?: string[];
}

/** How pages are loaded and what is kept of them, and how their job is run. */
export interface PageFields {
  formats?: Format[];
  main_content?: boolean | 'precise' | 'balanced' | 'complete';
  extract?: Record<string, ExtractField>;
  render?: 'auto' | 'http' | 'browser';
  actions?: Action[];
  headers?: Record<string, string>;
  cookies?: Cookie[];
  viewport?: { width: number; height: number };
  locale?: string;
  timezone?: string;
  mobile?: boolean;
  proxy?: string | string[];
  timeout_ms?: number;
  priority?: number;
  max_attempts?: number;
  webhook_url?: string;
  metadata?: Record<string, unknown>;
}

/** Body of `POST /jobs/scrape`: at least one of `urls`, `search_query`, `industry`, `keywords`. */
export interface JobRequest extends PageFields {
  urls?: string[];
  crawl?: CrawlRules;
  industry?: string;
  geography?: string;
  keywords?: string[];
  source_types?: SourceType[];
  search_query?: string;
  filters?: LeadFilters;
  max_leads?: number;
  /** ISO 8601. */
  run_at?: string;
}

export type JobStatus =
  | 'scheduled'
  | 'queued'
  | 'running'
  | 'retrying'
  | 'completed'
  | 'failed'
  | 'cancelled';

export interface ErrorInfo {
  code: string;
  message: string;
}

export interface AcceptedJob {
  job_id: string;
  status: JobStatus;
  created_at: string;
}

export interface Attempt {
  attempt: number;
  worker: string | null;
  started_at: string;
  finished_at: string | null;
  outcome: 'completed' | 'retry' | 'fail' | 'snooze' | 'cancelled' | 'released' | 'crashed' | null;
  error: ErrorInfo | null;
}

export interface Job {
  job_id: string;
  user_id: string;
  status: JobStatus;
  /** Why it does not run yet; null for a job that runs or is final. */
  waiting_for: { code: 'run_at' | 'retry' | 'running_jobs' | 'slot'; message: string } | null;
  attempt: number;
  max_attempts: number;
  priority: number;
  /** The request, without its secrets. */
  spec: JobRequest & Record<string, unknown>;
  progress: { done: number; total: number; message: string | null };
  counts: { pages: number; leads: number; errors: number };
  error: ErrorInfo | null;
  attempts: Attempt[];
  created_at: string;
  run_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface Address {
  text: string;
  street: string | null;
  city: string | null;
  region: string | null;
  postal_code: string | null;
  /** ISO 3166-1 alpha-2. */
  country: string | null;
}

export interface BusinessFacts {
  legal_name: string | null;
  legal_form: string | null;
  people: { name: string; role: string | null; email: string | null; phone: string | null }[];
  registrations: {
    kind: 'vat' | 'register' | 'tax';
    number: string;
    country: string | null;
    authority: string | null;
  }[];
  opening_hours: string[];
  /** ISO 639-1. */
  language: string | null;
  email_kinds: Record<string, string>;
  phone_kinds: Record<string, string>;
}

export interface Contacts extends BusinessFacts {
  company: string | null;
  emails: string[];
  phones: string[];
  faxes: string[];
  addresses: Address[];
  socials: Record<string, string>;
}

/** A page. Formats that were not asked for are absent. */
export interface Page {
  url: string;
  /** After redirects; null if nothing answered. */
  final_url: string | null;
  status_code: number | null;
  content_type: string | null;
  title: string | null;
  markdown?: string;
  html?: string;
  raw_html?: string;
  text?: string;
  links?: { url: string; text: string; kind: 'internal' | 'external' | 'file' }[];
  metadata?: Record<string, unknown>;
  extracted?: Record<string, unknown>;
  contacts?: Contacts;
  /** Path under the API, for `download`. */
  screenshot?: string;
  pdf?: string;
  action_screenshots?: string[];
  engine: 'http' | 'browser';
  fetched_at: string;
  duration_ms: number;
  error: ErrorInfo | null;
  warnings?: ErrorInfo[];
}

export interface Evidence {
  field: string;
  value: string;
  url: string;
  method: string;
  snippet: string;
  /** 0 to 1. */
  confidence: number;
  found_at?: string;
}

/** A business; one per registrable domain. */
export interface Lead extends BusinessFacts {
  company: string | null;
  website: string | null;
  domain: string | null;
  emails: string[];
  phones: string[];
  faxes: string[];
  addresses: Address[];
  socials: Record<string, string>;
  industry: string | null;
  description: string | null;
  employees: string | null;
  logo: string | null;
  sources: string[];
  evidence: Evidence[];
  unverified_filters: string[];
}

/** Of all jobs. */
export interface KnownLead extends Lead {
  job_ids: string[];
  found_at: string;
}

export interface SiteUrl {
  url: string;
  title?: string;
}

export interface MapRequest {
  limit?: number;
  include?: string[];
  exclude?: string[];
  same_origin?: boolean;
  search?: string;
}

export interface SiteMap {
  job_id: string;
  urls: SiteUrl[];
  total: number;
  /** Addresses were left unvisited, or the limit was reached. */
  incomplete: boolean;
  message: string | null;
}

export interface JobFilter {
  status?: JobStatus[];
  created_after?: string | Date;
  created_before?: string | Date;
  metadata?: Record<string, string>;
}

export interface LeadSearch {
  /** Beginnings of words. */
  q?: string;
  domain?: string;
  country?: string;
  source?: SourceType;
  has_email?: boolean;
  has_phone?: boolean;
}

/** An event of the ledger; `data` depends on `type` (docs/reference/events.md). */
export interface LiveEvent {
  /** Continues after this event: `lastEventId`. */
  cursor: string;
  id: string;
  type: string;
  version: string;
  occurred_at: string;
  source: string;
  correlation_id: string;
  user_id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: of each type another object
  data: Record<string, any>;
}

export interface QueueState {
  scope: 'own' | 'all';
  waiting: number;
  running: number;
  jobs_by_state: Record<'scheduled' | 'queued' | 'running' | 'retrying', number>;
  oldest_waiting: unknown;
  workers: number;
  slots: number;
}

export interface StatsQuery {
  from?: string | Date;
  to?: string | Date;
  interval?: 'hour' | 'day' | 'week' | 'month';
  tz?: string;
}

interface Percentiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export interface Stats {
  scope: 'own' | 'all';
  from: string;
  to: string;
  interval: string;
  jobs_by_state: Record<JobStatus, number>;
  created: number;
  created_per_hour: number;
  finished_per_hour: number;
  success_rate: number | null;
  time_to_start_ms: Percentiles;
  duration_ms: Percentiles;
  pages: number;
  page_errors: number;
  leads: number;
  retries: number;
  errors: { code: string; jobs: number }[];
  sources: { source: string; jobs: number; pages: number; leads: number }[];
  hosts: { host: string; jobs: number; pages: number; leads: number }[];
  series: Record<string, unknown>[];
}

export interface Link {
  link_id: string;
  code: string;
  short_url: string;
  /** Says where it leads. */
  preview_url: string;
  url: string;
  share: boolean;
  job_id: string | null;
  lead_id: string | null;
  created_at: string;
  updated_at: string;
  expires_at: string | null;
}

export interface LinkRequest {
  url?: string;
  code?: string;
  expires_at?: string;
  job_id?: string;
  lead_id?: string;
  share?: boolean;
}

export interface Webhook {
  id: string;
  url: string;
  url_credentials: boolean;
  description: string;
  failing_since: string | null;
  paused_at: string | null;
  paused_reason: 'failing' | 'gone' | 'user' | null;
  created_at: string;
}
