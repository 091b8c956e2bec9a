import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { parseAddress, parseRange } from '../../runtime/address-policy.ts';

/** Whose request this is, behind whatever proxies are trusted: an address in its one normal form, or '' where the connection is gone. */
export type ClientAddress = (request: Pick<IncomingMessage, 'headers' | 'socket'>, peer?: string) => string;

/**
 * Proxies write down whom they serve, each behind what it was sent, so the list is read from its end for as long as it was a trusted one
 * that wrote: what stands further left anybody can have sent.
 *
 * @param trustedProxies addresses and ranges, as `10.0.0.0/8`
 */
export function createClientAddress(trustedProxies: string[]): ClientAddress {
  const ranges = trustedProxies.map(parseRange);
  const normal = (text: string): string => parseAddress(text)?.toString() ?? text;
  const isTrusted = (text: string): boolean => {
    const address = parseAddress(text);
    return address !== null && ranges.some((range) => range.contains(address));
  };

  return ({ headers, socket }, peer = socket.remoteAddress ?? '') => {
    let client = normal(peer);
    if (ranges.length === 0 || !isTrusted(client)) return client;
    for (const hop of hopsOf(headers).reverse()) {
      const address = addressIn(hop);
      // `unknown`, `_hidden` or nonsense: the last one known is the best there is.
      if (address === null) return client;
      client = address;
      if (!isTrusted(client)) return client;
    }
    return client;
  };
}

/** What most proxies write goes before RFC 7239, which a proxy that does not know it hands on as a visitor sent it. */
function hopsOf(headers: IncomingHttpHeaders): string[] {
  const list = headers['x-forwarded-for'];
  // Node joins several lines of a header; nothing in a list is believed beyond what a few proxies would write.
  if (list !== undefined) return String(list).slice(-MAX_LIST).split(',').slice(-MAX_HOPS);
  const forwarded = headers.forwarded?.slice(-MAX_LIST) ?? '';
  return forwarded
    .split(',')
    .slice(-MAX_HOPS)
    .map((element) => /(?:^|;)\s*for\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)/i.exec(element)?.[1] ?? '');
}

const MAX_LIST = 2000;
const MAX_HOPS = 20;

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `"[2001:db8::1]:4711"`. */
function addressIn(hop: string): string | null {
  const bare = hop.trim().replace(/^"(.*)"$/, '$1');
  const host = /^\[([^\]]*)\](?::\w+)?$/.exec(bare)?.[1] ?? /^(\d+(?:\.\d+){3}):\w+$/.exec(bare)?.[1] ?? bare;
  return parseAddress(host)?.toString() ?? null;
}
