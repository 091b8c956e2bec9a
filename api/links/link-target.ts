import {
  type AllowList,
  canonicalHost,
  parseAddress,
  parseAllowList,
  refusalReason,
} from '../../runtime/address-policy.ts';

/** Says why a short link may not lead to a URL, or null. Pure: a name is not resolved, since it is the visitor's machine that will. */
export type JudgeTarget = (url: string) => string | null;

export function createJudgeTarget(options: { publicUrl: string; egressAllow: string[] }): JudgeTarget {
  const own = new URL(options.publicUrl);
  const allowList = parseAllowList(options.egressAllow);
  return (text) => {
    const url = new URL(text);
    if (url.username || url.password) return 'expected a URL without user name and password';
    if (url.origin === own.origin) return leadsBack(url, own) ? 'leads back to a short link' : null;
    return isPrivate(url, allowList) ? 'lies on a private network, where this installation may not go' : null;
  };
}

/** A link that leads to a link counts twice, and two that lead to each other never end. */
function leadsBack(url: URL, own: URL): boolean {
  const path = decoded(url.pathname).slice(own.pathname.replace(/\/$/, '').length);
  return /^\/+r(\/|$)/.test(path) || path.endsWith('+');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** By the rules of the egress guard, as far as the URL itself tells. */
function isPrivate({ hostname, port, protocol }: URL, allowList: AllowList): boolean {
  const number = Number(port || (protocol === 'https:' ? 443 : 80));
  const host = canonicalHost(hostname);
  if (host === null) return true;
  if (allowList.allowsHost(host, number)) return false;
  const address = parseAddress(/(^|\.)localhost$/.test(host) ? '127.0.0.1' : host);
  if (!address || refusalReason(address) === null) return false;
  return !allowList.allowsAddress(address, number);
}
