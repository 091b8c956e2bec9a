import { decodeUri } from '../../core/text.ts';
import { canonicalHost, parseAddress, parseAllowList, parseDenyList } from '../../runtime/address-policy.ts';
import { refusedTargetProblem } from '../http/refused-targets.ts';

/**
 * The reason why a URL cannot be a link's target, or null. Host names are not resolved: visitors do
 * that.
 */
export type ValidateTarget = (url: string) => string | null;

export function createValidateTarget(options: { publicUrl: string; egressAllow: string[] }): ValidateTarget {
  const own = new URL(options.publicUrl);
  const ownAuthority = authorityOf(own);
  // Visitors go there, not this installation: what it may not reach itself is no matter.
  const lists = { allow: parseAllowList(options.egressAllow), deny: parseDenyList([]) };
  return (text) => {
    const url = new URL(text);
    if (url.username || url.password) return 'expected a URL without user name and password';
    if (authorityOf(url) === ownAuthority) {
      return leadsBack(url, own) ? 'leads back to a short link' : null;
    }
    return refusedTargetProblem(url, lists);
  };
}

/**
 * Normalized host and port; the default ports of http and https are equal, as one usually redirects
 * to the other.
 */
function authorityOf({ hostname, port }: URL): string {
  const host = canonicalHost(hostname) ?? hostname;
  const isDefault = port === '' || port === '80' || port === '443';
  const name = isLoopback(host) ? 'loopback' : host;
  return isDefault ? name : `${name}:${port}`;
}

function isLoopback(host: string): boolean {
  const address = parseAddress(host);
  return /(^|\.)localhost$/.test(host) || address?.range() === 'loopback';
}

/** A link to a link would count twice, and two links to each other would loop. */
function leadsBack(url: URL, own: URL): boolean {
  const oneSlash = (path: string) => decodeUri(path).replace(/\/+/g, '/');
  const prefix = oneSlash(own.pathname).replace(/\/$/, '');
  const path = oneSlash(url.pathname).replace(/(.)\/$/, '$1');
  if (!path.startsWith(prefix)) return false;
  return /^\/r(\/|$)/i.test(path.slice(prefix.length)) || path.endsWith('+');
}
