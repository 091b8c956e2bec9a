import crypto from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isbot } from 'isbot';
import { LRUCache } from 'lru-cache';
import { EVENT_VERSION } from '../../../core/events/events.ts';
import { type ClickKind, countryOf, referrerHost } from '../../../core/links/link.ts';
import type { LinkTarget } from '../../../db/links/links.ts';
import { createEnvelope, type Envelope } from '../../../queue/envelope.ts';
import { parseAddress, refusalReason } from '../../../runtime/address-policy.ts';
import { uuidv7 } from '../../../runtime/ids.ts';

/** Somebody followed a link. */
export interface Click {
  link: LinkTarget;
  request: IncomingMessage;
  /** Epoch milliseconds. */
  at: number;
  /** Who is at the other end of the connection: asked for at once, because it may be gone when the event is made. */
  peer: string;
}

const SOURCE = 'leadengine.redirect';
const MAX_USER_AGENT = 300;

/** Browsers are few: to match one against some hundred patterns takes longer than all the rest. */
const kinds = new LRUCache<string, ClickKind>({ max: 5000 });

/**
 * The event `link.clicked`. The address of the visitor goes into a hash with the day's salt and the link's id, and nowhere else: once
 * the salt is forgotten nobody can tell whose it was, and two links never show that they had the same visitor.
 */
export function clickEvent(
  { link, request, at, peer }: Click,
  { saltOf, publicUrl }: { saltOf(day: string): Buffer | undefined; publicUrl: string },
): Envelope {
  const occurredAt = new Date(at).toISOString();
  const { headers } = request;
  const userAgent = headers['user-agent']?.slice(0, MAX_USER_AGENT);
  const id = uuidv7();
  const salt = asksNotToBeTracked(headers) ? undefined : saltOf(occurredAt.slice(0, 10));
  return createEnvelope({
    id,
    type: 'link.clicked',
    version: EVENT_VERSION,
    occurred_at: occurredAt,
    source: SOURCE,
    correlation_id: id,
    user_id: link.user_id,
    data: {
      link_id: link.id,
      code: codeIn(request.url ?? ''),
      url: link.share ? `${publicUrl}${link.url}` : link.url,
      kind: kindOf(request, userAgent),
      visitor: salt ? visitorHash(salt, link.id, addressOf(peer, headers), userAgent ?? '') : null,
      referrer: referrerHost(headers.referer),
      user_agent: userAgent ?? null,
      country: countryOf(headers['accept-language']),
    },
  });
}

const codeIn = (url: string): string => /^\/r\/([A-Za-z0-9_-]+)/.exec(url)?.[1] ?? '';

/** Do Not Track, and Global Privacy Control which came after it. */
const asksNotToBeTracked = (headers: IncomingMessage['headers']): boolean =>
  headers.dnt === '1' || headers['sec-gpc'] === '1';

function kindOf({ method, headers }: IncomingMessage, userAgent: string | undefined): ClickKind {
  if (method === 'HEAD') return 'head';
  // A browser that loads what might be wanted next: nobody has looked at it yet.
  if (/\bpre(?:fetch|view|render)\b/i.test(String(headers['sec-purpose'] ?? headers.purpose ?? '')))
    return 'bot';
  if (userAgent === undefined) return 'person';
  let kind = kinds.get(userAgent);
  if (!kind) {
    kind = isbot(userAgent) ? 'bot' : 'person';
    kinds.set(userAgent, kind);
  }
  return kind;
}

const visitorHash = (salt: Buffer, linkId: string, address: string, userAgent: string): string =>
  sha256(Buffer.concat([salt, Buffer.from(`${linkId} ${address} ${userAgent}`)])).slice(0, 16);

/** In hex. The short way takes half the time; Node has it since 20.12. */
const sha256: (data: Buffer) => string = crypto.hash
  ? (data) => crypto.hash('sha256', data, 'hex')
  : (data) => crypto.createHash('sha256').update(data).digest('hex');

/** Behind a proxy on a private network, whom that one names: the last entry, which no visitor can choose. */
function addressOf(peer: string, headers: IncomingMessage['headers']): string {
  const forwarded = headers['x-forwarded-for'];
  if (typeof forwarded !== 'string') return peer;
  const address = parseAddress(peer);
  const isProxy = address !== null && refusalReason(address) !== null;
  return isProxy ? forwarded.slice(forwarded.lastIndexOf(',') + 1).trim() : peer;
}
