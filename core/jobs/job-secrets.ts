import { parseUrl } from '../parse-url.ts';
import { splitLogin, type UrlLogin, withoutLogin } from '../url-login.ts';
import type { JobSpec, RunnableSpec } from './job.ts';
import type { ScrapeRequest } from './job-schemas.ts';

/**
 * What of a request is secret. It is stored encrypted apart from the rest, shown by no answer, and
 * given to the worker that runs the job. Lists are by place in the request.
 */
export interface JobSecrets {
  headers?: Record<string, string>;
  /** Values of the cookies. */
  cookies?: string[];
  /** Proxies with user name and password. */
  proxy?: string | string[];
  /** Texts that actions type; null for other actions. */
  typed?: (string | null)[];
  /** User names and passwords that stood in `urls`. */
  logins?: UrlLogin[];
  /** The one that stood in `webhook_url`. */
  webhook?: UrlLogin;
}

/** Stands in for a secret that is set. */
const REDACTED = '***';

type Shown<Field extends keyof JobSpec> = (value: NonNullable<JobSpec[Field]>) => JobSpec[Field];
const asGiven = <T>(value: T): T => value;

/**
 * What answers show of each field. A field that is not listed here is not stored in the clear and
 * not shown; the compiler asks for each new one.
 */
const SHOWN: { [Field in keyof Required<JobSpec>]: Shown<Field> } = {
  urls: (urls) => urls.map(withoutLogin),
  industry: asGiven,
  geography: asGiven,
  keywords: asGiven,
  source_types: asGiven,
  search_query: asGiven,
  filters: asGiven,
  formats: asGiven,
  main_content: asGiven,
  extract: asGiven,
  render: asGiven,
  crawl: ({ include, exclude, ...crawl }) => ({
    ...crawl,
    ...(include ? { include: include.map(patternWithoutLogin) } : {}),
    ...(exclude ? { exclude: exclude.map(patternWithoutLogin) } : {}),
  }),
  actions: (actions) =>
    actions.map((action) => (action.type === 'type' ? { ...action, text: REDACTED } : action)),
  headers: (headers) => Object.fromEntries(Object.keys(headers).map((name) => [name, REDACTED])),
  cookies: (cookies) =>
    cookies.map((cookie) => ({
      ...cookie,
      value: REDACTED,
      ...(cookie.url === undefined ? {} : { url: withoutLogin(cookie.url) }),
    })),
  viewport: asGiven,
  locale: asGiven,
  timezone: asGiven,
  mobile: asGiven,
  proxy: (proxy) => (typeof proxy === 'string' ? redactedProxy(proxy) : proxy.map(redactedProxy)),
  timeout_ms: asGiven,
  max_leads: asGiven,
  priority: asGiven,
  run_at: asGiven,
  max_attempts: asGiven,
  webhook_url: withoutLogin,
  metadata: asGiven,
  map: asGiven,
  url_credentials: asGiven,
};

/** A spec as it is stored and shown: the listed fields, without secrets. Applying it again changes nothing. */
export function shownSpec(spec: JobSpec): JobSpec {
  const origins = loginsOf(spec).map(({ origin }) => origin);
  const entries = Object.entries(spec).flatMap(([name, value]) => {
    const show = Object.hasOwn(SHOWN, name) ? SHOWN[name as keyof JobSpec] : undefined;
    return show && value != null ? [[name, (show as (given: unknown) => unknown)(value)]] : [];
  });
  const shown: JobSpec = Object.fromEntries(entries);
  return origins.length > 0 ? { ...shown, url_credentials: [...new Set(origins)] } : shown;
}

/** The secrets of a request; null if it has none. */
export function secretsOf(spec: JobSpec): JobSecrets | null {
  const { headers, cookies, proxy, actions, webhook_url } = spec;
  const logins = loginsOf(spec);
  const webhook = webhook_url === undefined ? null : splitLogin(webhook_url).login;
  const secrets: JobSecrets = {
    ...(headers && Object.keys(headers).length > 0 ? { headers } : {}),
    ...(cookies && cookies.length > 0 ? { cookies: cookies.map(({ value }) => value) } : {}),
    ...(proxy && [proxy].flat().some((url) => redactedProxy(url) !== url) ? { proxy } : {}),
    ...(actions?.some(({ type }) => type === 'type')
      ? { typed: actions.map((action) => (action.type === 'type' ? action.text : null)) }
      : {}),
    ...(logins.length > 0 ? { logins } : {}),
    ...(webhook ? { webhook } : {}),
  };
  return Object.keys(secrets).length > 0 ? secrets : null;
}

/** The spec that a worker runs: a stored one with its secrets. */
export function withSecrets(shown: JobSpec, secrets: JobSecrets | null): RunnableSpec {
  if (!secrets) return shown;
  const { headers, cookies, proxy, typed, logins } = secrets;
  return {
    ...shown,
    ...(headers ? { headers } : {}),
    ...(cookies
      ? { cookies: (shown.cookies ?? []).map((cookie, at) => ({ ...cookie, value: cookies[at] ?? '' })) }
      : {}),
    ...(proxy ? { proxy } : {}),
    ...(typed
      ? {
          actions: (shown.actions ?? []).map((action, at) =>
            action.type === 'type' ? { ...action, text: typed[at] ?? '' } : action,
          ),
        }
      : {}),
    ...(logins ? { logins } : {}),
  };
}

const loginsOf = ({ urls = [] }: Pick<ScrapeRequest, 'urls'>): UrlLogin[] =>
  urls.flatMap((url) => splitLogin(url).login ?? []);

function redactedProxy(text: string): string {
  const url = parseUrl(text);
  if (!url) return REDACTED;
  if (url.username === '' && url.password === '') return text;
  if (url.username) url.username = REDACTED;
  if (url.password) url.password = REDACTED;
  return url.href;
}

/** Patterns are compared with URLs that have no login. */
const patternWithoutLogin = (pattern: string): string =>
  pattern.replace(/^([a-z][a-z0-9+.*-]*:)?\/\/[^/?#]*@/i, '$1//');
