import { PageFailure } from '../../core/jobs/page-errors.ts';
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
 * Plain HTTP on a job's behalf: pages without a browser, robots.txt, sitemaps, search APIs, webhooks. Every connection is made by
 * way of the egress guard, one redirect at a time, and whatever a server sends is bounded in size and time.
 *
 *     const answer = await http.get('https://example.com/robots.txt', { signal, timeoutMs: 10_000, maxBytes: 500_000 });
 *     answer.status, answer.url (after redirects), answer.headers['etag'], answer.body
 *
 * HTTP/1.1 with keep-alive; no HTTP/2: several streams of one connection gain nothing where a host is asked politely. Answers are read by
 * a parser of our own, which forgives servers what browsers forgive: neither Node's nor undici's can be told to.
 */
export interface HttpClient {
  /**
   * An answer of any status is an answer.
   * @throws PageFailure where there is none: `dns_failed`, `connection_refused`, `connection_failed`, `tls_failed`,
   *   `egress_refused`, `page_timeout`, `page_too_large`, `too_many_redirects`; or the signal's reason
   */
  get(url: string, options: HttpGetOptions): Promise<HttpResponse>;
  /** A client whose connections are its own and go through one of these proxies. Whoever asks for it stops it. */
  through(proxies: readonly string[]): HttpClient;
  /** Lets go of all connections; requests under way fail. Twice is safe. */
  stop(): Promise<void>;
}

export interface HttpGetOptions {
  signal: AbortSignal;
  /** For all of it: connecting, redirects, headers and body. */
  timeoutMs: number;
  /** Of the body, as sent and as decoded. */
  maxBytes: number;
  /** Sent to the origin of `url` and to no other, wherever it redirects: they may hold a key. They win over the client's own. */
  headers?: Readonly<Record<string, string>>;
  /** Default `GET`. Anything else is sent once, and never again where a connection breaks. */
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  body?: string | Buffer;
  /** Default 20, as browsers have it. With 0 a redirect is the answer. */
  maxRedirects?: number;
  /** Asked before each redirect is followed. Without it any is. */
  permit?: RedirectPermission | undefined;
  /** Of this job and no other. Without one, cookies live as long as one call: many a site redirects until it sees its own. */
  cookies?: Cookies;
  /** Whether the body is worth having; without it `body` is empty. Asked once, with the head of the last answer. */
  wantsBody?: (head: ResponseHead) => boolean;
  /** A body that ends early is an answer too, whose `cut` says so; without it there is no answer. */
  acceptsCut?: boolean;
}

export interface HttpResponse extends ResponseHead {
  /** Decoded. */
  body: Buffer;
  /** Why the body is not whole; unset where it is. */
  cut?: PageFailure;
  /** The answers on the way, in order. */
  redirects: { url: string; status: number; location: string }[];
}

export interface HttpClientOptions {
  guard: EgressGuard;
  /** Sent where `headers` names none. */
  userAgent: string;
  /** To one origin at the same time; more wait. Default 8. */
  connectionsPerOrigin?: number;
  logger: Logger;
  /** Of the process: what is known of a proxy holds for browser and plain HTTP alike. Default one of its own. */
  proxyHealth?: ProxyHealth;
  /** For all that is asked, `http:`, `https:` or `socks5:`. Default none. */
  proxies?: readonly string[];
}

const MAX_REDIRECTS = 20;
const CONNECTIONS_PER_ORIGIN = 8;

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { guard, logger, proxyHealth: health = createProxyHealth(), proxies = [] } = options;
  const pools = createConnectionPools({
    guard,
    connectionsPerOrigin: options.connectionsPerOrigin ?? CONNECTIONS_PER_ORIGIN,
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
        // Ends what a redirect left half read.
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

/** One request after the other until an answer is no redirect. */
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
    // Bytes beyond ASCII go back to the server as they came, whatever encoding they are in.
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
      // Some servers announce the length of what they then compress: browsers let that pass.
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
    // As browsers do, whatever the standard says of 301 and 302.
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
    // A server may hang up on a connection it kept at the very moment it is used again.
    const isSafe = method === 'GET' || method === 'HEAD';
    if (!isSafe || !hops.pools.isStaleSocket(error) || hops.deadline.signal.aborted) throw error;
    return await hops.deadline.race(ask());
  }
}

function headOf(url: string, { status, headers }: WireResponse): ResponseHead {
  return { url: withoutCredentials(url), status, headers, contentType: headers['content-type'] ?? null };
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** What frames the message; a user's value would garble it. */
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
  const target = URL.canParse(location, from) ? new URL(location, from) : null;
  if (!target || (target.protocol !== 'http:' && target.protocol !== 'https:')) {
    const protocol = target?.protocol ?? 'none';
    guard.reportBlocked({ host: new URL(from).host, protocol, reason: 'not the web' });
    throw new PageFailure('egress_refused');
  }
  // The fragment asked for goes along where the redirect names none.
  if (!location.includes('#')) target.hash = new URL(from).hash;
  return target.href;
}

const escapedBytes = (location: string): string =>
  location.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);

function withoutCredentials(url: string): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
}

function basicAuthorization({ username, password }: URL): string {
  const decode = (part: string) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  return `Basic ${Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64')}`;
}
