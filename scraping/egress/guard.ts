import { lookup } from 'node:dns/promises';
import {
  canonicalHost,
  hostRefusalReason,
  parseAddress,
  parseAllowList,
  parseDenyList,
  refusalReason,
} from '../../runtime/address-policy.ts';
import type { Logger } from '../../runtime/log/logger.ts';

/**
 * Decides which addresses a job may connect to. A name is resolved once, each of its addresses is
 * checked, and the caller dials only the returned ones, so DNS rebinding gains nothing.
 */
export interface EgressGuard {
  /**
   * The allowed addresses of this host, in the order to try them.
   * @throws EgressError `egress_refused` if none is allowed, `dns_failed` if the name does not
   *   resolve
   */
  resolve(host: string, port: number): Promise<string[]>;
  /**
   * Logs and counts a blocked request; users never see the details. `reason` has few distinct
   * values.
   */
  reportBlocked(blocked: {
    host: string;
    port?: number;
    address?: string;
    protocol?: string;
    reason: string;
  }): void;
}

/** The addresses of a name, as `dns.lookup` gives them. */
export type Resolver = (name: string) => Promise<{ address: string }[]>;

/**
 * A connection that was not made. The message is for users and reveals nothing about the network.
 */
export class EgressError extends Error {
  constructor(
    readonly code:
      | 'egress_refused'
      | 'dns_failed'
      | 'connection_refused'
      | 'connection_failed'
      | 'proxy_failed',
    options?: ErrorOptions,
  ) {
    super(code, options);
    this.name = 'EgressError';
  }
}

/** @throws Error that names the invalid entry of `allow`, `deny` or `trusted` */
export function createEgressGuard(options: {
  /** `EGRESS_ALLOW`: what is reachable beyond the public internet. */
  allow: string[];
  /** `EGRESS_DENY`: what is not reachable, even if `allow` names it. Default none. */
  deny?: string[];
  /** Targets that the operator configured for this client alone, whatever `deny` says. */
  trusted?: string[];
  logger: Logger;
  /** Default: the system's. */
  resolver?: Resolver;
  /** Called with the reason of each blocked request. */
  onBlocked?(reason: string): void;
}): EgressGuard {
  const { logger, resolver = systemResolver, onBlocked } = options;
  const allowList = parseAllowList(options.allow);
  const denyList = parseDenyList(options.deny ?? []);
  const trusted = parseAllowList(options.trusted ?? []);
  const reportBlocked: EgressGuard['reportBlocked'] = (blocked) => {
    logger.warn('egress_refused', blocked);
    onBlocked?.(blocked.reason);
  };

  return {
    reportBlocked,
    async resolve(host, port) {
      const name = canonicalHost(host);
      if (name === null || !Number.isInteger(port) || port < 1 || port > 65_535) {
        throw new EgressError('dns_failed');
      }
      const isTrusted = trusted.hasHost(name, port);
      const isNamed = isTrusted || allowList.hasHost(name, port);
      const hostReason = refusedHost(name, port, { isTrusted, isNamed });
      if (hostReason !== null) {
        reportBlocked({ host: name, port, reason: hostReason });
        throw new EgressError('egress_refused');
      }
      const allowed: string[] = [];
      for (const text of await addressesOf(name, resolver)) {
        const reason = refusedAddress(parseAddress(text), port, { isTrusted, isNamed });
        if (reason === null) allowed.push(text);
        else reportBlocked({ host: name, port, address: text, reason });
      }
      if (allowed.length === 0) throw new EgressError('egress_refused');
      return allowed;
    },
  };

  function refusedHost(name: string, port: number, { isTrusted, isNamed }: NamedTarget): string | null {
    if (isTrusted) return null;
    if (denyList.hasHost(name, port)) return DENIED;
    return isNamed ? null : hostRefusalReason(name);
  }

  function refusedAddress(
    address: ReturnType<typeof parseAddress>,
    port: number,
    { isTrusted, isNamed }: NamedTarget,
  ): string | null {
    if (address === null) return isNamed ? null : 'unreadable';
    if (isTrusted || trusted.hasAddress(address, port)) return null;
    if (denyList.hasAddress(address, port)) return DENIED;
    return isNamed || allowList.hasAddress(address, port) ? null : refusalReason(address);
  }
}

/** What the lists say of a host's name. */
interface NamedTarget {
  isTrusted: boolean;
  isNamed: boolean;
}

const DENIED = 'denied by the operator';

/**
 * getaddrinfo has no time limit of its own; resolv.conf's default of two tries at several servers
 * can take minutes.
 */
const LOOKUP_TIMEOUT_MS = 10_000;

/** IPv4 first: machines with an IPv6 address but no route beyond their network are common. */
const systemResolver: Resolver = (name) => lookup(name, { all: true, order: 'ipv4first' });

async function addressesOf(name: string, resolver: Resolver): Promise<string[]> {
  if (parseAddress(name)) return [name];
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the name did not resolve in time')), LOOKUP_TIMEOUT_MS);
  });
  try {
    const found = await Promise.race([resolver(name), tooLate]);
    return found.map(({ address }) => address);
  } catch (cause) {
    throw new EgressError('dns_failed', { cause });
  } finally {
    clearTimeout(timer);
  }
}
