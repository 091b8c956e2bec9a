import { parseAddress, parseRange } from '../../runtime/address-policy.ts';
import { invalidRequest } from '../http/problem.ts';

type Range = ReturnType<typeof parseRange>;

/** Whether a key may be used from an address in normal form. @param list null: from anywhere */
export function createAddressCheck(list: readonly string[] | null): (address: string) => boolean {
  if (list === null) return () => true;
  const ranges = list.map(parseRange);
  return (text) => {
    const address = parseAddress(text);
    return address !== null && ranges.some((range) => range.contains(address));
  };
}

/**
 * The `allowed_ips` of a request, within those of the key that sets them.
 *
 * @throws Problem 422
 */
export function requireAllowedIps(list: readonly string[], within: readonly string[] | null): void {
  const outer = within?.map(parseRange);
  for (const [at, text] of list.entries()) {
    const wrong = (message: string) => invalidRequest([{ path: `allowed_ips.${at}`, message }]);
    const range = rangeOf(text);
    if (!range) throw wrong('expected an address or a range such as 10.0.0.0/8 or 2001:db8::/32');
    if (outer && !outer.some((one) => one.covers(range))) {
      throw wrong(`expected addresses that the key of this request may be used from: ${within?.join(', ')}`);
    }
  }
}

/** Whether each address of a list that was checked before is in one of `within`. */
export function areWithin(list: readonly string[], within: readonly string[]): boolean {
  const outer = within.map(parseRange);
  return list.map(parseRange).every((range) => outer.some((one) => one.covers(range)));
}

function rangeOf(text: string): Range | null {
  try {
    return parseRange(text);
  } catch {
    return null;
  }
}
