import crypto from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isbot } from 'isbot';
import { LRUCache } from 'lru-cache';
import { EVENT_VERSION } from '../../../core/events/events.ts';
import { type ClickKind, countryOf, referrerHost } from '../../../core/links/link.ts';
import type { LinkTarget } from '../../../db/links/links.ts';
import { createEnvelope, type Envelope } from '../../../queue/envelope.ts';
import { uuidv7 } from '../../../runtime/ids.ts';
import type { ClientAddress } from '../../http/client-address.ts';

/** A visitor followed a link. */
export interface Click {
  link: LinkTarget;
  code: string;
  request: IncomingMessage;
  /** Epoch milliseconds. */
  at: number;
  /** Remote address, read at once: the connection may be closed when the event is created. */
  peer: string;
}

const SOURCE = 'leadengine.redirect';
const MAX_USER_AGENT = 300;

/**
 * Link previewers and scanners that `isbot` does not know: Discord under the names of two old
 * browsers, Signal Desktop, Mattermost, Nextcloud Talk, Outlook Safe Links, Atlassian, the HTTP
 * clients of iOS and Android apps (a person's browser has another name), and Office, which requests
 * a link before it opens a browser.
 */
const LINK_PREVIEW =
  /^Mozilla\/5\.0 \(Macintosh; Intel Mac OS X (?:11\.6; rv:92\.0\) Gecko\/20100101 Firefox\/92\.0|10\.10; rv:38\.0\) Gecko\/20100101 Firefox\/38\.0)$|^Signal\b|\bMattermost\b|Nextcloud Talk|SafeLinks|Microsoft Office\/|ms-office|\bCFNetwork\/|^Dalvik\/|Smart-Links/i;

/** User agents repeat, and matching hundreds of patterns takes longer than everything else here. */
const kinds = new LRUCache<string, ClickKind>({ max: 5000 });

/**
 * The event `link.clicked`. The visitor's address is used only in a hash with the day's salt and
 * the link's id: once the salt is deleted the hash cannot be linked to an address, and hashes of
 * two links cannot be linked to each other.
 */
export function clickEvent(
  { link, code, request, at, peer }: Click,
  options: {
    saltOf(day: string): Buffer | undefined;
    publicUrl: string;
    clientAddress: ClientAddress;
  },
): Envelope {
  const { saltOf, publicUrl, clientAddress } = options;
  const occurredAt = new Date(at).toISOString();
  const { headers } = request;
  const userAgent = headers['user-agent']?.slice(0, MAX_USER_AGENT);
  const id = uuidv7();
  const salt = optsOutOfTracking(headers) ? undefined : saltOf(occurredAt.slice(0, 10));
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
      code,
      url: link.share ? `${publicUrl}${link.url}` : link.url,
      kind: kindOf(request, userAgent),
      visitor: salt ? visitorHash(salt, link.id, clientAddress(request, peer), userAgent ?? '') : null,
      referrer: referrerHost(headers.referer),
      user_agent: userAgent ?? null,
      country: countryOf(headers['accept-language']),
    },
  });
}

/** Do Not Track, and its successor Global Privacy Control. */
const optsOutOfTracking = (headers: IncomingMessage['headers']): boolean =>
  headers.dnt === '1' || headers['sec-gpc'] === '1';

function kindOf({ method, headers }: IncomingMessage, userAgent: string | undefined): ClickKind {
  if (method === 'HEAD') return 'head';
  // A browser's prefetch: no person has opened the link yet.
  if (/\bpre(?:fetch|view|render)\b/i.test(purposeOf(headers))) return 'bot';
  if (userAgent === undefined) return 'person';
  let kind = kinds.get(userAgent);
  if (!kind) {
    kind = isbot(userAgent) || LINK_PREVIEW.test(userAgent) ? 'bot' : 'person';
    kinds.set(userAgent, kind);
  }
  return kind;
}

/** Chromium, then the names before the standard's: WebKit's two, and Firefox's. */
const purposeOf = (headers: IncomingMessage['headers']): string =>
  String(headers['sec-purpose'] ?? headers.purpose ?? headers['x-purpose'] ?? headers['x-moz'] ?? '');

const visitorHash = (salt: Buffer, linkId: string, address: string, userAgent: string): string =>
  sha256(Buffer.concat([salt, Buffer.from(`${linkId} ${address} ${userAgent}`)])).slice(0, 16);

/** In hex. `crypto.hash` takes half the time, but needs Node 20.12. */
const sha256: (data: Buffer) => string = crypto.hash
  ? (data) => crypto.hash('sha256', data, 'hex')
  : (data) => crypto.createHash('sha256').update(data).digest('hex');
