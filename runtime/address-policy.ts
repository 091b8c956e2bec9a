import ipaddr from 'ipaddr.js';
import { parseUrl } from '../core/parse-url.ts';
import { OperatorError } from './operator-error.ts';

/**
 * The egress guard's decisions, as pure functions: which addresses are on the public internet, and
 * what the operator allowed beyond it. They are about the address that will be dialled, never the
 * spelling of a name or URL: `0x7f.1`, `localhost.` and a name that resolves to 127.0.0.1 are all
 * the same address.
 */

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Null unless it is an IP address in normal form. A zone (`fe80::1%eth0`) is dropped: it does not
 * change the range.
 */
export function parseAddress(text: string): Address | null {
  const bare = text.replace(/^\[|\]$/g, '').split('%', 1)[0] ?? '';
  // Names first: `ipaddr` finds out by throwing, which costs more than all other checks of a job.
  if (!/^[\d.]+$|:/.test(bare)) return null;
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  if (!bare.includes(':') || !ipaddr.IPv6.isValid(bare)) return null;
  const address = ipaddr.IPv6.parse(bare);
  // ::ffff:a.b.c.d is dialled as IPv4.
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** Null for an address of the public internet, else the name of its range. */
export function refusalReason(address: Address): string | null {
  if (CLOUD_ADDRESSES.some((range) => range.contains(address))) return CLOUD;
  if (address instanceof ipaddr.IPv4) {
    const range = address.range();
    return range === 'unicast' ? null : range;
  }
  const carried = carriedIPv4(address);
  if (carried) return refusalReason(carried);
  const range = address.range();
  if (range !== 'unicast') return range;
  // Only 2000::/3 is allocated; ipaddr calls every unnamed range unicast, including IPv4-compatible
  // ::7f00:1.
  return GLOBAL_UNICAST.contains(address) ? null : 'unassigned';
}

/** The IPv4 address a NAT64 or 6to4 gateway would dial for this one. */
function carriedIPv4(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  const bytes = address.toByteArray();
  if (NAT64.contains(address)) return new ipaddr.IPv4(bytes.slice(12, 16));
  if (SIX_TO_FOUR.contains(address)) return new ipaddr.IPv4(bytes.slice(2, 6));
  return null;
}

class Range {
  constructor(
    private readonly network: Address,
    private readonly bits: number,
  ) {}

  covers(other: Range): boolean {
    return other.bits >= this.bits && this.contains(other.network);
  }

  contains(address: Address): boolean {
    return address.kind() === this.network.kind() && address.match(this.network, this.bits);
  }
}

/** `192.0.2.1`, `10.0.0.0/8`, `fd00::/8`. @throws OperatorError */
export function parseRange(text: string): Range {
  const [network = '', bits, ...rest] = text.split('/');
  const address = parseAddress(network);
  const width = address?.kind() === 'ipv4' ? 32 : 128;
  const length = bits === undefined ? width : /^[0-9]{1,3}$/.test(bits) ? Number(bits) : -1;
  if (!address || rest.length > 0 || length < 0 || length > width) {
    throw new OperatorError(`"${text}" is no address or range such as 10.0.0.0/8`);
  }
  return new Range(address, length);
}

const GLOBAL_UNICAST = new Range(ipaddr.IPv6.parse('2000::'), 3);
const NAT64 = new Range(ipaddr.IPv6.parse('64:ff9b::'), 96);
const SIX_TO_FOUR = new Range(ipaddr.IPv6.parse('2002::'), 16);

const CLOUD = 'cloud';
/**
 * Public by their number, but answered by the machine's own cloud, with its configuration or
 * credentials. Those of the other clouds are link-local, shared or unique local addresses.
 */
const CLOUD_ADDRESSES = [
  // Azure: the host agent (WireServer), https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
  new Range(ipaddr.IPv4.parse('168.63.129.16'), 32),
  // Google: its APIs for machines inside a VPC (private and restricted.googleapis.com).
  new Range(ipaddr.IPv4.parse('199.36.153.4'), 30),
  new Range(ipaddr.IPv4.parse('199.36.153.8'), 30),
  new Range(ipaddr.IPv6.parse('2600:2d00:2:1000::'), 64),
  new Range(ipaddr.IPv6.parse('2600:2d00:2:2000::'), 64),
  // IBM: services and the metadata of machines inside its cloud.
  new Range(ipaddr.IPv4.parse('161.26.0.0'), 16),
  new Range(ipaddr.IPv4.parse('166.8.0.0'), 14),
  // Equinix Metal: metadata.packet.net.
  new Range(ipaddr.IPv4.parse('192.80.8.124'), 32),
];
/** Names that only a cloud's own resolver knows, or that answer with the asking machine's data. */
const CLOUD_HOSTS =
  /^(metadata|instance-data|metadata\.goog|metadata\.packet\.net|metadata\.platformequinix\.com|metadata\.tencentyun\.com|metadata\.azure\.com|api\.metadata\.cloud\.ibm\.com|(.+\.)?(google|ec2|azure|compute|oraclevcn)\.internal)$/;

/**
 * Null, or why no job may name this host, whatever it resolves to. `host` is in the form of
 * `canonicalHost`.
 */
export const hostRefusalReason = (host: string): string | null => (CLOUD_HOSTS.test(host) ? CLOUD : null);

/** What `EGRESS_ALLOW` opens or `EGRESS_DENY` closes: exactly the targets of its entries. */
export interface TargetList {
  /** By the requested name, whatever it resolves to. `host` is in the form of `canonicalHost`. */
  hasHost(host: string, port: number): boolean;
  /** By the address that will be dialled. */
  hasAddress(address: Address, port: number): boolean;
}

/**
 * @param entries `host[:port]`, `IP[:port]`, `CIDR[:port]`; IPv6 with a port, or a range with one,
 *   in brackets: `[fd00::1]:8080`, `[fd00::/8]:8080`
 * @throws OperatorError naming the entry that does not fit
 */
export const parseAllowList = (entries: string[]): TargetList => parseTargets('EGRESS_ALLOW', entries);

/**
 * The same entries, and `*.host` for all names below a host. An IPv4 address is closed in its IPv6
 * forms too: a NAT64 or 6to4 gateway would dial it.
 */
export function parseDenyList(entries: string[]): TargetList {
  const list = parseTargets('EGRESS_DENY', entries);
  return {
    hasHost: list.hasHost,
    hasAddress(address, port) {
      const carried = address instanceof ipaddr.IPv6 ? carriedIPv4(address) : null;
      return list.hasAddress(address, port) || (carried !== null && list.hasAddress(carried, port));
    },
  };
}

function parseTargets(setting: 'EGRESS_ALLOW' | 'EGRESS_DENY', entries: string[]): TargetList {
  const rules = entries.map((entry) => parseEntry(setting, entry));
  const onPort = (rule: Rule, port: number) => rule.port === null || rule.port === port;
  const named = (rule: Rule, host: string) =>
    rule.isBelow ? host.endsWith(`.${rule.host}`) : rule.host === host;
  return {
    hasHost: (host, port) => rules.some((rule) => named(rule, host) && onPort(rule, port)),
    hasAddress: (address, port) => rules.some((rule) => rule.range?.contains(address) && onPort(rule, port)),
  };
}

interface Rule {
  host: string | null;
  /** Means the names below `host`. */
  isBelow: boolean;
  range: Range | null;
  port: number | null;
}

function parseEntry(setting: 'EGRESS_ALLOW' | 'EGRESS_DENY', entry: string): Rule {
  const wrong = () =>
    new OperatorError(
      `${setting}: entry "${entry}": expected host[:port], IP[:port], CIDR[:port] or [IPv6]:port`,
    );
  // Unbracketed IPv6 contains colons, so it cannot have a port.
  const unbracketedIPv6 = !entry.startsWith('[') && entry.split(':').length > 2;
  const parts = unbracketedIPv6
    ? [entry, entry, undefined]
    : /^(\[[^\]]+\](?:\/\d+)?|[^:[\]]+)(?::(\d{1,5}))?$/.exec(entry);
  if (!parts?.[1]) throw wrong();
  const port = parts[2] === undefined ? null : Number(parts[2]);
  if (port !== null && (port < 1 || port > 65_535)) throw wrong();

  const isBelow = setting === 'EGRESS_DENY' && parts[1].startsWith('*.');
  const target = parts[1].slice(isBelow ? 2 : 0).replace(/[[\]]/g, '');
  const [network = '', bits, ...rest] = target.split('/');
  const address = isBelow ? null : parseAddress(network);
  if (address && rest.length === 0) {
    const width = address.kind() === 'ipv4' ? 32 : 128;
    const length = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (length < 0 || length > width) throw wrong();
    return { host: null, isBelow, range: new Range(address, length), port };
  }
  const host = canonicalHost(target);
  // A name that a URL reads as an address (`127.1`, `0x7f.1`) would be a host rule that never
  // matches.
  if (bits !== undefined || host === null || parseAddress(host) || !/^[a-z0-9_.-]+$/.test(host))
    throw wrong();
  return { host, isBelow, range: null, port };
}

/** What `EGRESS_ALLOW` opens beyond the public internet, and what `EGRESS_DENY` closes. */
export interface EgressLists {
  allow: TargetList;
  deny: TargetList;
}

/** Why a URL may not be connected to, as far as its spelling tells. */
export type RefusedTarget =
  /** `range` is the name of its range, such as `loopback`; `entry` of `EGRESS_ALLOW` would open it. */
  | { kind: 'private'; host: string; range: string; entry: string }
  /** By `EGRESS_DENY`. */
  | { kind: 'denied'; host: string };

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'socks5:': 1080 };

/**
 * What the guard would say of a URL, without resolving names. Null if it may be connected to, or if
 * only its addresses can tell.
 */
export function refusedTargetOf(
  { hostname, port, protocol }: URL,
  { allow, deny }: EgressLists,
): RefusedTarget | null {
  const number = Number(port || DEFAULT_PORTS[protocol]);
  const host = canonicalHost(hostname);
  if (host === null) return null;
  const isLocalhost = /(^|\.)localhost$/.test(host);
  const addresses = (isLocalhost ? LOCALHOST : [host])
    .map(parseAddress)
    .filter((address) => address !== null);
  const [address] = addresses;
  if (deny.hasHost(host, number) || (address && deny.hasAddress(address, number))) {
    return { kind: 'denied', host };
  }
  if (allow.hasHost(host, number) || addresses.some((each) => allow.hasAddress(each, number))) return null;
  const range = address ? refusalReason(address) : hostRefusalReason(host);
  if (range === null) return null;
  return { kind: 'private', host, range, entry: `${host.includes(':') ? `[${host}]` : host}:${number}` };
}

/** What `localhost` and the names under it resolve to. */
const LOCALHOST = ['127.0.0.1', '::1'];

/**
 * A host as a browser normalizes it: lower case, punycode, full decimal IPv4, no trailing dot. Null
 * if invalid.
 */
export function canonicalHost(host: string): string | null {
  const address = parseAddress(host);
  if (address) return address.toString();
  if (/[\s/?#@\\:]/.test(host.replace(/^\[.*\]$/, ''))) return null;
  return parseUrl(`http://${host}/`)?.hostname.replace(/\.$/, '') || null;
}
