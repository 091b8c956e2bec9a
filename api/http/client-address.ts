import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { parseAddress, parseRange } from '../../runtime/address-policy.ts';

/** The client's address behind trusted proxies, in normal form; '' if the connection is gone. */
export type ClientAddress = (request: Pick<IncomingMessage, 'headers' | 'socket'>, peer?: string) => string;

/**
 * Each proxy appends its client to the list, so the list is read from its end while the writer is a
 * trusted proxy; any client can forge what is further left.
 *
 * @param trustedProxies addresses and ranges, such as `10.0.0.0/8`
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
      // `unknown`, `_hidden` or invalid: use the last known address.
      if (address === null) return client;
      client = address;
      if (!isTrusted(client)) return client;
    }
    return client;
  };
}

/** `X-Forwarded-For` wins: proxies that do not know RFC 7239 pass a client's own `Forwarded` on. */
function hopsOf(headers: IncomingHttpHeaders): string[] {
  const list = headers['x-forwarded-for'];
  // Node joins repeated headers. Only as much is read as a few proxies would write.
  if (list !== undefined) return itemsOf(String(list).slice(-MAX_LIST).split(','));
  return itemsOf(elementsOf(headers.forwarded?.slice(-MAX_LIST) ?? '')).map(forIn);
}

/** Empty items are no hops (RFC 9110, 5.6.1). */
const itemsOf = (list: string[]): string[] => list.filter((item) => item.trim() !== '').slice(-MAX_HOPS);

/** Split at commas outside of quotes. A quote that does not end is a letter: clients write any. */
const elementsOf = (forwarded: string): string[] => forwarded.match(/(?:"(?:[^"\\]|\\.)*"|[^,])+/g) ?? [];

/** Parameters of an element; a quoted value may hold what looks like another one. */
const PARAMETERS = /(?<=^|[;\s])([a-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)/gi;

const forIn = (element: string): string =>
  [...element.matchAll(PARAMETERS)].find(([, name]) => name?.toLowerCase() === 'for')?.[2] ?? '';

const MAX_LIST = 2000;
const MAX_HOPS = 20;

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `"[2001:db8::1]:4711"`. */
function addressIn(hop: string): string | null {
  const bare = hop.trim().replace(/^"(.*)"$/, (_, quoted: string) => quoted.replace(/\\(.)/g, '$1'));
  const host = /^\[([^\]]*)\](?::\w+)?$/.exec(bare)?.[1] ?? /^(\d+(?:\.\d+){3}):\w+$/.exec(bare)?.[1] ?? bare;
  return parseAddress(host)?.toString() ?? null;
}
