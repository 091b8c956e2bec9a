import { lookup } from 'node:dns/promises';
import { canonicalHost, parseAddress, parseAllowList, refusalReason } from '../runtime/egress-address.ts';
import type { Logger } from '../runtime/logger.ts';

/**
 * Decides what may be dialled on a job's behalf. A name is resolved once, every address it gives is judged, and the caller
 * dials what came back and nothing else: a name that answers differently the next time (rebinding) gains nothing.
 */
export interface EgressGuard {
  /**
   * The addresses to dial for this host, in the order to try them. What is not allowed is left out.
   * @throws EgressError `egress_refused` when nothing allowed is left, `dns_failed` when the name does not resolve
   */
  resolve(host: string, port: number): Promise<string[]>;
}

/** A connection that is not made. The message is for users and says nothing of what lies behind an address. */
export class EgressError extends Error {
  constructor(
    readonly code: 'egress_refused' | 'dns_failed' | 'connection_refused' | 'connection_failed',
    options?: ErrorOptions,
  ) {
    super(code, options);
    this.name = 'EgressError';
  }
}

/** @throws Error naming the entry of `allow` that does not fit */
export function createEgressGuard(options: { allow: string[]; logger: Logger }): EgressGuard {
  const { logger } = options;
  const allowList = parseAllowList(options.allow);

  return {
    async resolve(host, port) {
      const name = canonicalHost(host);
      if (name === null || !Number.isInteger(port) || port < 1 || port > 65_535) {
        throw new EgressError('dns_failed');
      }
      const anyAddress = allowList.allowsHost(name, port);
      const allowed: string[] = [];
      for (const text of await addressesOf(name)) {
        const address = parseAddress(text);
        const reason = address === null ? 'unreadable' : refusalReason(address);
        if (reason === null || anyAddress || (address && allowList.allowsAddress(address, port))) {
          allowed.push(text);
        } else {
          logger.warn('egress_refused', { host: name, port, address: text, reason });
        }
      }
      if (allowed.length === 0) throw new EgressError('egress_refused');
      return allowed;
    },
  };
}

/** getaddrinfo has no time limit of its own; resolv.conf's default of two tries at several servers can take minutes. */
const LOOKUP_TIMEOUT_MS = 10_000;

async function addressesOf(name: string): Promise<string[]> {
  if (parseAddress(name)) return [name];
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the name did not resolve in time')), LOOKUP_TIMEOUT_MS);
  });
  try {
    // IPv4 first: machines with an IPv6 address but no route beyond their network are common.
    const found = await Promise.race([lookup(name, { all: true, order: 'ipv4first' }), tooLate]);
    return found.map(({ address }) => address);
  } catch (cause) {
    throw new EgressError('dns_failed', { cause });
  } finally {
    clearTimeout(timer);
  }
}
