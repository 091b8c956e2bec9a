import { describe, expect, test } from '@jest/globals';
import { Problem } from '../http/problem.ts';
import { createAddressCheck, requireAllowedIps } from './allowed-ips.ts';

describe('a key is used from', () => {
  test.each([
    [['192.0.2.1'], '192.0.2.1', true],
    [['192.0.2.1'], '192.0.2.2', false],
    [['192.0.2.1'], '::ffff:192.0.2.1', true],
    [['::ffff:192.0.2.1'], '192.0.2.1', true],
    [['10.0.0.0/8'], '10.255.0.1', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['10.0.0.0/8'], '::ffff:10.1.1.1', true],
    [['2001:db8::/32'], '2001:db8:ffff::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['2001:db8::/32', '10.0.0.0/8'], '10.0.0.1', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['0.0.0.0/0'], '', false],
    [[], '192.0.2.1', false],
    [null, '', true],
  ])('%j, at %s: %s', (list, address, may) => {
    expect(createAddressCheck(list)(address)).toBe(may);
  });
});

describe('a list of addresses', () => {
  const errorOf = (list: string[], within: string[] | null) => {
    try {
      requireAllowedIps(list, within);
      return null;
    } catch (error) {
      return error instanceof Problem ? error.extra.errors?.[0]?.path : error;
    }
  };

  test.each(['10.0.0.0/33', 'example.com', '', '10.0.0', '1.2.3.4/', '::/129', '010.0.0.1', '10.0.0.1/8/8'])(
    'does not hold %j',
    (text) => {
      expect(errorOf(['10.0.0.1', text], null)).toBe('allowed_ips.1');
    },
  );

  test.each([
    [['10.1.0.0/16'], ['10.0.0.0/8'], true],
    [['10.0.0.0/8'], ['10.0.0.0/8'], true],
    [['10.1.2.3'], ['192.0.2.1', '10.0.0.0/8'], true],
    [['0.0.0.0/0'], ['10.0.0.0/8'], false],
    [['10.0.0.0/7'], ['10.0.0.0/8'], false],
    [['2001:db8::/32'], ['10.0.0.0/8'], false],
    [['2001:db8:1::/48'], ['2001:db8::/32'], true],
    [['::/0'], ['0.0.0.0/0'], false],
  ])('%j is within %j: %s', (list, within, fits) => {
    expect(errorOf(list, within)).toBe(fits ? null : 'allowed_ips.0');
  });
});
