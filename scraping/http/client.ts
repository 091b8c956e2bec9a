import { PageFailure } from '../../core/jobs/page-errors.ts';
import { parseUrl } from '../../core/parse-url.ts';
import { basicAuthorization, withoutLogin } from '../../core/url-login.ts';
import type { Logger } from '../../runtime/log/logger.ts';
import type { EgressGuard } from '../egress/guard.ts';
import { createProxyHealth, createUpstreamProxies, type ProxyHealth } from '../egress/upstream-proxy.ts';
import { Deadline } from '../fetching/deadline.ts';
import { isOwnOrigin } from '../fetching/own-origin.ts';
import { type RedirectPermission, requireGranted } from '../politeness/permit.ts';
import type { ResponseHead } from '../response/response-head.ts';
import { ACCEPTED_ENCODINGS, decodeBody, readBounded } from './body.ts';
import { type ConnectionPools, createConnectionPools } from './connection-pools.ts';
import { type Cookies, createCookies } from './cookies.ts';
import type { WireResponse } from './exchange.ts';
import { clientFailure } from './failures.ts';

/**
 * Plain HTTP for jobs: pages without a browser, robots.txt, sitemaps, search APIs, webhooks. Every
 * connection, also of each redirect, passes the egress guard, and every response is bounded in size
 * and time.
 *
 *     const response = await http.get('https://example.com/robots.txt', { signal, timeoutMs: 10_000, maxBytes: 500_000 });
 *     response.status, response.url (after redirects), response.headers['etag'], response.body
 *
 * HTTP/1.1 with keep-alive. No HTTP/2: multiplexing gains nothing at a polite request rate.
 * Responses are read by our own parser, as leniently as in browsers: neither Node's nor undici's
 * can be configured so.
 */
export interface HttpClient {
  /**
   * Resolves for a response of any status.
   * @throws PageFailure if there is no response: `dns_failed`, `connection_refused`,
   *   `connection_failed`, `tls_failed`, `egress_refused`, `page_timeout`, `page_too_large`,
   *   `too_many_redirects`; or the signal's reason
   */
  get(url: string, options: HttpGetOptions): Promise<HttpResponse>;
  /** A client with connections of its own through one of these proxies. The caller must stop it. */
  through(proxies: readonly string[]): HttpClient;
  /** Closes all connections; pending requests fail. Idempotent. */
  stop(): Promise<void>;
}

export interface HttpGetOptions {
  signal: AbortSignal;
  /** Total time limit: connecting, redirects, headers and body. */
  timeoutMs: number;
  /** Limit for the body, both as sent and decoded. */
  maxBytes: number;
  /**
   * Sent to the origin of `url` only, also after redirects: they may hold a key. Override the
   * client's own.
   */
  headers?: Readonly<Record<string, string>>;
  /** `Authorization` for each URL requested, also after redirects; `headers` override it. */
  authorization?: (url: string) => string | null;
  /** Default `GET`. Others than GET and HEAD are never resent if a connection breaks. */
  method?: 'GET' | 'HEAD' | 'POST';
  body?: string | Buffer;
  /** Default 20, as in browsers. With 0 a redirect is returned as the response. */
  maxRedirects?: number;
  /** Checked before each redirect is followed. Unset: all are. */
  permit?: RedirectPermission | undefined;
  /**
   * The job's cookies. Unset: cookies last for one call, as many sites redirect until they see
   * theirs.
   */
  cookies?: Cookies;
  /**
   * Whether to download the body; else `body` is empty. Called once, with the head of the last
   * response.
   */
  wantsBody?: (head: ResponseHead) => boolean;
  /** Resolve for a truncated body too, with `cut` set; default: reject. */
  acceptsCut?: boolean;
}

export interface HttpResponse extends ResponseHead {
  /** Decoded. */
  body: Buffer;
  /** Why the body is truncated; unset if it is complete. */
  cut?: PageFailure;
  /** The redirects followed, in order. */
  redirects: { url: string; status: number; location: string }[];
}

export interface HttpClientOptions {
  guard: EgressGuard;
  /** Default for the header `user-agent`. */
  userAgent: string;
  logger: Logger;
  /** Shared with the browser pool in this process. Default: one of its own. */
  proxyHealth?: ProxyHealth;
  /** Upstream proxies for all requests, `http:`, `https:` or `socks5:`. Default none. */
  proxies?: readonly string[];
}

const MAX_REDIRECTS = 20;

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { guard, logger, proxyHealth: health = createProxyHealth(), proxies = [] } = options;
  const pools = createConnectionPools({
    guard,
    proxies:
      proxies.length === 0 ? undefined : createUpstreamProxies({ urls: [...proxies], guard, health, logger }),
  });
  return {
    async get(url, request) {
      const deadline = new Deadline(request.timeoutMs, request.signal, () => new PageFailure('page_timeout'));
      try {
        return await follow(url, request, { pools, deadline, ...options });
      } catch (error) {
        if (deadline.signal.aborted) throw deadline.signal.reason;
        throw clientFailure(error);
      } finally {
        deadline.dispose();
      }
    },
    through: (others) => createHttpClient({ ...options, proxies: others }),
    stop: () => pools.stop(),
  };
}

interface Hops {
  pools: ConnectionPools;
  deadline: Deadline;
  guard: EgressGuard;
  userAgent: string;
}

/** Sends requests until a response is not a redirect. */
async function follow(start: string, request: HttpGetOptions, hops: Hops): Promise<HttpResponse> {
  const { deadline } = hops;
  const redirects: HttpResponse['redirects'] = [];
  const cookies = request.cookies ?? createCookies();
  let url = start;
  let { method = 'GET', body } = request;
  for (;;) {
    const answer = await askOnce({ url, pageUrl: start, method, body, cookies, request }, hops);
    const head = headOf(url, answer);
    cookies.store(head.url, answer.setCookies);
    // Non-ASCII bytes are sent back to the server unchanged, whatever their encoding.
    const location = escapedBytes(head.headers.location ?? '');
    const isRedirect = REDIRECTS.has(head.status) && location !== '';
    if (!isRedirect || request.maxRedirects === 0) {
      const wanted = method !== 'HEAD' && (request.wantsBody?.(head) ?? true);
      if (!wanted) {
        answer.discard();
        return { ...head, body: Buffer.alloc(0), redirects };
      }
      const encoding = head.headers['content-encoding'] ?? '';
      const { bytes, cut } = await deadline.race(readBounded(answer, request.maxBytes));
      const body = await deadline.race(decodeBody(bytes, encoding, request.maxBytes));
      // Some servers send the uncompressed length with a compressed body: browsers accept that.
      const isWhole =
        cut === null || (encoding !== '' && String(body.length) === head.headers['content-length']);
      if (!isWhole && !request.acceptsCut) throw cut;
      return { ...head, body, ...(isWhole ? {} : { cut: clientFailure(cut) }), redirects };
    }
    answer.discard();
    redirects.push({ url: head.url, status: head.status, location });
    if (redirects.length > (request.maxRedirects ?? MAX_REDIRECTS))
      throw new PageFailure('too_many_redirects');
    url = redirectTarget(url, location, hops.guard);
    if (request.permit) requireGranted(await deadline.race(request.permit.follow(url)));
    // As browsers do, also for 301 and 302.
    const becomesGet =
      head.status === 303
        ? method !== 'HEAD'
        : (head.status === 301 || head.status === 302) && method === 'POST';
    if (becomesGet) [method, body] = ['GET', undefined];
  }
}

interface Hop {
  url: string;
  pageUrl: string;
  method: string;
  body: string | Buffer | undefined;
  cookies: Cookies;
  request: HttpGetOptions;
}

async function askOnce({ url, pageUrl, method, body, cookies, request }: Hop, hops: Hops) {
  const target = new URL(url);
  const headers: Record<string, string> = {
    'user-agent': hops.userAgent,
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'accept-language': 'en,*;q=0.5',
    'accept-encoding': ACCEPTED_ENCODINGS,
  };
  const cookie = cookies.headerFor(url);
  if (cookie) headers.cookie = cookie;
  const login = request.authorization?.(url);
  if (login) headers.authorization = login;
  if (target.username || target.password) headers.authorization = basicAuthorization(target);
  if (isOwnOrigin(url, pageUrl)) {
    for (const [name, value] of Object.entries(request.headers ?? {})) {
      if (!SET_BY_TRANSPORT.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
    }
  }
  const ask = () =>
    hops.pools.request({
      origin: target.origin,
      path: `${target.pathname}${target.search}`,
      method,
      headers,
      body: body ?? null,
      signal: hops.deadline.signal,
    });
  try {
    return await hops.deadline.race(ask());
  } catch (error) {
    // A server may close a kept connection at the moment it is reused.
    const isSafe = method === 'GET' || method === 'HEAD';
    if (!isSafe || !hops.pools.isStaleSocket(error) || hops.deadline.signal.aborted) throw error;
    return await hops.deadline.race(ask());
  }
}

function headOf(url: string, { status, headers }: WireResponse): ResponseHead {
  return { url: withoutLogin(url), status, headers, contentType: headers['content-type'] ?? null };
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Headers that frame the message: a user's value would corrupt it. */
const SET_BY_TRANSPORT = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'accept-encoding',
]);

function redirectTarget(from: string, location: string, guard: EgressGuard): string {
  const target = parseUrl(location, from);
  if (!target || (target.protocol !== 'http:' && target.protocol !== 'https:')) {
    const protocol = target?.protocol ?? 'none';
    guard.reportBlocked({ host: new URL(from).host, protocol, reason: 'not the web' });
    throw new PageFailure('egress_refused');
  }
  // A redirect without a fragment keeps the requested one.
  if (!location.includes('#')) target.hash = new URL(from).hash;
  return target.href;
}

const escapedBytes = (location: string): string =>
  location.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
